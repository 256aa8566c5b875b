-- +goose Up
CREATE TABLE IF NOT EXISTS popup_revisions (
    popup_id        INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    spec            TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (popup_id, version)
) STRICT;
