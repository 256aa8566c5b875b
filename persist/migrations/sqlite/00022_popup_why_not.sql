-- +goose Up
CREATE TABLE IF NOT EXISTS popup_why_not (
    popup_id        INTEGER NOT NULL,
    hour            INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    polls           INTEGER NOT NULL,
    sampled         INTEGER NOT NULL,
    PRIMARY KEY (popup_id, hour, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS popup_why_not_by_hour ON popup_why_not (hour);
