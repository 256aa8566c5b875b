-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_user (
    user_id     TEXT    NOT NULL,
    popup_id    INTEGER NOT NULL,
    exposed_ms  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    variant     TEXT    NOT NULL,
    mixed_ms    INTEGER NOT NULL,
    click_ms    INTEGER NOT NULL,
    convert_ms  INTEGER NOT NULL,
    PRIMARY KEY (user_id, popup_id)
) STRICT, WITHOUT ROWID;
