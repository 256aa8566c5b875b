-- +goose Up
CREATE TABLE IF NOT EXISTS console_session (
    id              TEXT PRIMARY KEY,
    hash            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    bond            TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    seen_ms         INTEGER NOT NULL,
    ends_ms         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS console_session_by_name ON console_session (name);
CREATE INDEX IF NOT EXISTS console_session_by_created ON console_session (created_ms);
