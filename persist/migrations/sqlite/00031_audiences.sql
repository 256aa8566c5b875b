-- +goose Up
CREATE TABLE IF NOT EXISTS audiences (
    id              INTEGER PRIMARY KEY,
    `key`           TEXT    NOT NULL UNIQUE,
    version         INTEGER NOT NULL,
    deleted         INTEGER NOT NULL,
    rule            TEXT    NULL,
    list_no         INTEGER NOT NULL,
    members         INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    actor           TEXT    NOT NULL
) STRICT;
