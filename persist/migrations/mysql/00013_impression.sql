-- +goose Up
CREATE TABLE IF NOT EXISTS impression (
    user_id         VARBINARY(128)  NOT NULL,
    popup_id        INT UNSIGNED    NOT NULL,
    served_at_ms    BIGINT          NOT NULL,
    version         INT UNSIGNED    NOT NULL DEFAULT 0,
    variant         VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    acted           TINYINT UNSIGNED NOT NULL DEFAULT 0,
    acted_before    TINYINT UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, popup_id, served_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
