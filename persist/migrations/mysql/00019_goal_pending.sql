-- +goose Up
CREATE TABLE IF NOT EXISTS goal_pending (
    user_id         VARBINARY(128)  NOT NULL,
    popup_id        INT UNSIGNED    NOT NULL,
    stream_no       INT UNSIGNED    NOT NULL,
    seq             BIGINT UNSIGNED NOT NULL,
    at_ms           BIGINT          NOT NULL,
    since_ms        BIGINT          NOT NULL,
    PRIMARY KEY (user_id, popup_id, stream_no, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
