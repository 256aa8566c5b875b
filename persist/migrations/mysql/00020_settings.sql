-- +goose Up
CREATE TABLE IF NOT EXISTS settings (
    id              TINYINT UNSIGNED NOT NULL,
    version         INT UNSIGNED    NOT NULL,
    spec            MEDIUMTEXT      NOT NULL,
    updated_at      BIGINT          NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
