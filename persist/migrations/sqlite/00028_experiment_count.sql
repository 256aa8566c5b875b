-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_count (
    popup_id    INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    variant     TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    days        INTEGER NOT NULL,
    users       INTEGER NOT NULL,
    PRIMARY KEY (popup_id, version, variant, outcome, days)
) STRICT, WITHOUT ROWID;
