-- +goose Up
CREATE TABLE IF NOT EXISTS audience_chunk (
    list_no         INTEGER NOT NULL,
    chunk_no        INTEGER NOT NULL,
    bytes           BLOB    NOT NULL,
    PRIMARY KEY (list_no, chunk_no)
) STRICT;
