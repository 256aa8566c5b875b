-- +goose Up
CREATE TABLE IF NOT EXISTS admin_token (
    id              TEXT PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    role            TEXT    NOT NULL,
    hash            TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    created_by      TEXT    NOT NULL,
    expires_ms      INTEGER NOT NULL,
    last_used_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
