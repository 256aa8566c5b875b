-- +goose Up
CREATE TABLE IF NOT EXISTS settings (
    id              INTEGER PRIMARY KEY,
    version         INTEGER NOT NULL,
    spec            TEXT    NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
