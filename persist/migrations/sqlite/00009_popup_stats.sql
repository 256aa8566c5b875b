-- +goose Up
CREATE TABLE IF NOT EXISTS popup_stats (
    popup_id        INTEGER NOT NULL,
    hour            INTEGER NOT NULL,
    variant         TEXT    NOT NULL,
    impressions     INTEGER NOT NULL,
    users           INTEGER NOT NULL,
    clicks          INTEGER NOT NULL,
    dismisses       INTEGER NOT NULL,
    converts        INTEGER NOT NULL,
    controls        INTEGER NOT NULL,
    PRIMARY KEY (popup_id, hour, variant)
) STRICT, WITHOUT ROWID;
