-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_progress (
    stream_no   INTEGER PRIMARY KEY,
    seq         INTEGER NOT NULL
) STRICT;
