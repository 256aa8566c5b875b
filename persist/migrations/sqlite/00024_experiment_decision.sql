-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_decision (
    popup_id    INTEGER NOT NULL,
    goal        TEXT    NOT NULL,
    variant     TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL,
    lift        REAL    NOT NULL,
    lift_low    REAL    NOT NULL,
    lift_high   REAL    NOT NULL,
    PRIMARY KEY (popup_id, goal, variant)
) STRICT, WITHOUT ROWID;
