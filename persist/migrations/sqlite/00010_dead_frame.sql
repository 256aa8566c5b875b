-- +goose Up
CREATE TABLE IF NOT EXISTS dead_frame (
    stream_no       INTEGER NOT NULL,
    first_seq       INTEGER NOT NULL,
    last_seq        INTEGER NOT NULL,
    bytes           BLOB    NULL,
    reason          TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL,
    PRIMARY KEY (stream_no, first_seq)
) STRICT, WITHOUT ROWID;
