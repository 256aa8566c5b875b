-- +goose Up
CREATE TABLE IF NOT EXISTS audience_chunk (
    list_no         BIGINT UNSIGNED NOT NULL,
    chunk_no        INT UNSIGNED    NOT NULL,
    bytes           MEDIUMBLOB      NOT NULL,
    PRIMARY KEY (list_no, chunk_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
