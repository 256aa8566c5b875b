-- +goose Up
CREATE TABLE IF NOT EXISTS config_change (
    revision        BIGINT          NOT NULL,
    nonce           BIGINT          NOT NULL,
    popup_id        INT UNSIGNED    NOT NULL,
    PRIMARY KEY (revision)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
