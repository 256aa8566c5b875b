-- +goose Up
CREATE TABLE IF NOT EXISTS audience_list (
    list_no         INTEGER PRIMARY KEY,
    removing        INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL
) STRICT;
