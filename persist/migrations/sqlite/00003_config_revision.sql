-- +goose Up
CREATE TABLE IF NOT EXISTS config_revision (
    id              INTEGER PRIMARY KEY,
    revision        INTEGER NOT NULL
) STRICT;
