-- +goose Up
CREATE TABLE IF NOT EXISTS popup_stats (
    popup_id        INT UNSIGNED    NOT NULL,
    hour            BIGINT          NOT NULL,
    variant         VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    impressions     BIGINT UNSIGNED NOT NULL,
    users           BIGINT UNSIGNED NOT NULL,
    clicks          BIGINT UNSIGNED NOT NULL,
    dismisses       BIGINT UNSIGNED NOT NULL,
    converts        BIGINT UNSIGNED NOT NULL,
    controls        BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (popup_id, hour, variant)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
