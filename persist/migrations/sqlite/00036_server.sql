-- +goose Up
CREATE TABLE IF NOT EXISTS server (
    id                TEXT    PRIMARY KEY,
    name              TEXT    NOT NULL,
    address           TEXT    NOT NULL,
    version           TEXT    NOT NULL,
    state             TEXT    NOT NULL,
    revision          INTEGER NOT NULL,
    waiting_events    INTEGER NOT NULL,
    oldest_event_ms   INTEGER NOT NULL,
    journal_bytes     INTEGER NOT NULL,
    journal_max_bytes INTEGER NOT NULL,
    started_ms        INTEGER NOT NULL,
    seen_ms           INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS server_by_seen ON server (seen_ms);
