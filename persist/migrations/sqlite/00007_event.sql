-- +goose Up
CREATE TABLE IF NOT EXISTS event (
    stream_no       INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    user_id         TEXT    NOT NULL CHECK (length(CAST(user_id AS BLOB)) <= 128),
    popup_id        INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    variant         TEXT    NOT NULL CHECK (length(CAST(variant AS BLOB)) <= 32),
    action          INTEGER NOT NULL,
    served_at_ms    INTEGER NOT NULL,
    nth             INTEGER NOT NULL,
    PRIMARY KEY (stream_no, seq)
) STRICT, WITHOUT ROWID;
