-- +goose Up
CREATE TABLE IF NOT EXISTS config_revision (
    id              TINYINT UNSIGNED NOT NULL,
    revision        BIGINT          NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
