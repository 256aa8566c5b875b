-- +goose Up
CREATE TABLE IF NOT EXISTS erasure (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id         TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL,
    queued_ms       INTEGER NOT NULL,
    done_ms         INTEGER NOT NULL
) STRICT;
