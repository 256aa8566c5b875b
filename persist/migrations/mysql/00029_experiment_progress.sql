-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_progress (
    stream_no   INT UNSIGNED    NOT NULL,
    seq         BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (stream_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
