-- +goose Up
CREATE TABLE IF NOT EXISTS audience_key (
    id              INTEGER PRIMARY KEY,
    secret          TEXT    NOT NULL
) STRICT;
