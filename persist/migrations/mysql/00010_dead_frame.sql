-- +goose Up
CREATE TABLE IF NOT EXISTS dead_frame (
    stream_no       INT UNSIGNED    NOT NULL,
    first_seq       BIGINT UNSIGNED NOT NULL,
    last_seq        BIGINT UNSIGNED NOT NULL,
    bytes           BLOB            NULL,
    reason          VARCHAR(255)    NOT NULL,
    at_ms           BIGINT          NOT NULL,
    PRIMARY KEY (stream_no, first_seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
