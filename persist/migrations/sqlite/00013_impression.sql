-- +goose Up
CREATE TABLE IF NOT EXISTS impression (
    user_id         TEXT    NOT NULL,
    popup_id        INTEGER NOT NULL,
    served_at_ms    INTEGER NOT NULL,
    version         INTEGER NOT NULL DEFAULT 0,
    variant         TEXT    NOT NULL DEFAULT '',
    acted           INTEGER NOT NULL DEFAULT 0,
    acted_before    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, popup_id, served_at_ms)
) STRICT, WITHOUT ROWID;
