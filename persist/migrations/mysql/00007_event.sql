-- +goose Up
CREATE TABLE IF NOT EXISTS event (
    stream_no       INT UNSIGNED    NOT NULL,
    seq             BIGINT UNSIGNED NOT NULL,
    at_ms           BIGINT          NOT NULL,
    user_id         VARBINARY(128)  NOT NULL,
    popup_id        INT UNSIGNED    NOT NULL,
    version         INT UNSIGNED    NOT NULL,
    variant         VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    action          TINYINT UNSIGNED NOT NULL,
    served_at_ms    BIGINT          NOT NULL,
    nth             INT UNSIGNED    NOT NULL,
    PRIMARY KEY (stream_no, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
