-- +goose Up
CREATE TABLE IF NOT EXISTS config_change (
    revision        INTEGER PRIMARY KEY,
    nonce           INTEGER NOT NULL,
    popup_id        INTEGER NOT NULL
) STRICT;
