-- +goose Up
CREATE TABLE IF NOT EXISTS goal_pending (
    user_id         TEXT    NOT NULL,
    popup_id        INTEGER NOT NULL,
    stream_no       INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    since_ms        INTEGER NOT NULL,
    PRIMARY KEY (user_id, popup_id, stream_no, seq)
) STRICT, WITHOUT ROWID;
