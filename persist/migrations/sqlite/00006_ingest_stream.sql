-- +goose Up
CREATE TABLE IF NOT EXISTS ingest_stream (
    stream_no       INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id       TEXT    NOT NULL UNIQUE,
    last_seq        INTEGER NOT NULL,
    removed         INTEGER NOT NULL,
    closed          INTEGER NOT NULL,
    host            TEXT    NOT NULL,
    updated_ms      INTEGER NOT NULL
) STRICT;
