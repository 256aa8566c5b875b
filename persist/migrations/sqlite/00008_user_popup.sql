-- +goose Up
CREATE TABLE IF NOT EXISTS user_popup (
    user_id             TEXT    NOT NULL,
    popup_id            INTEGER NOT NULL,
    impressions         INTEGER NOT NULL,
    last_impression_ms  INTEGER NOT NULL,
    acted               INTEGER NOT NULL,
    last_action         INTEGER NOT NULL,
    last_action_ms      INTEGER NOT NULL,
    click_until_ms      INTEGER NOT NULL,
    next_at_ms          INTEGER NOT NULL,
    PRIMARY KEY (user_id, popup_id)
) STRICT, WITHOUT ROWID;
