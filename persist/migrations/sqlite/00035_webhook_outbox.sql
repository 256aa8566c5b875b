-- +goose Up
CREATE TABLE IF NOT EXISTS webhook_outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    subject         TEXT    NOT NULL UNIQUE,
    webhook_id      TEXT    NOT NULL,
    body            TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    due_ms          INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    result          TEXT    NOT NULL,
    settled_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS webhook_outbox_by_due ON webhook_outbox (settled_ms, due_ms);
