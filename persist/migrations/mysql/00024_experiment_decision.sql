-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_decision (
    popup_id    INT UNSIGNED    NOT NULL,
    goal        VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    variant     VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at_ms       BIGINT          NOT NULL,
    lift        DOUBLE          NOT NULL,
    lift_low    DOUBLE          NOT NULL,
    lift_high   DOUBLE          NOT NULL,
    PRIMARY KEY (popup_id, goal, variant)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
