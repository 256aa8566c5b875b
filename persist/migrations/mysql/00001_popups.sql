-- +goose Up
CREATE TABLE IF NOT EXISTS popups (
    id              INT UNSIGNED    NOT NULL AUTO_INCREMENT,
    `key`           VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status          VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    priority        BIGINT          NOT NULL,
    start_at        BIGINT          NULL,
    end_at          BIGINT          NULL,
    max_impressions INT UNSIGNED    NOT NULL,
    spec            MEDIUMTEXT      NOT NULL,
    version         INT UNSIGNED    NOT NULL,
    updated_at      BIGINT          NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY popups_key (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
