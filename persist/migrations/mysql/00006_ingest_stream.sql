-- +goose Up
CREATE TABLE IF NOT EXISTS ingest_stream (
    stream_no       INT UNSIGNED    NOT NULL AUTO_INCREMENT,
    stream_id       CHAR(32)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    last_seq        BIGINT UNSIGNED NOT NULL,
    removed         BIGINT UNSIGNED NOT NULL,
    closed          TINYINT UNSIGNED NOT NULL,
    host            VARCHAR(255)    NOT NULL,
    updated_ms      BIGINT          NOT NULL,
    PRIMARY KEY (stream_no),
    UNIQUE KEY ingest_stream_id (stream_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
