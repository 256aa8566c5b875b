-- +goose Up
CREATE TABLE IF NOT EXISTS popups (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    `key`           TEXT    NOT NULL UNIQUE,
    status          TEXT    NOT NULL,
    priority        INTEGER NOT NULL,
    start_at        INTEGER NULL,
    end_at          INTEGER NULL,
    max_impressions INTEGER NOT NULL,
    spec            TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
