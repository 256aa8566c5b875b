-- +goose Up
CREATE TABLE IF NOT EXISTS popup_why_not (
    popup_id        INT UNSIGNED    NOT NULL,
    hour            BIGINT          NOT NULL,
    reason          VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    polls           BIGINT UNSIGNED NOT NULL,
    sampled         BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (popup_id, hour, reason),
    KEY by_hour (hour)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
