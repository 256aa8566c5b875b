-- +goose Up
CREATE TABLE IF NOT EXISTS audience_key (
    id              TINYINT UNSIGNED NOT NULL,
    secret          CHAR(32)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
