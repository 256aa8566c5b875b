-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_count (
    popup_id    INT UNSIGNED    NOT NULL,
    version     INT UNSIGNED    NOT NULL,
    variant     VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    outcome     VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    days        INT UNSIGNED    NOT NULL,
    users       BIGINT          NOT NULL,
    PRIMARY KEY (popup_id, version, variant, outcome, days)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
