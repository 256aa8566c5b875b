-- +goose Up
CREATE TABLE IF NOT EXISTS console_session (
    id              CHAR(16)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hash            CHAR(64)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name            VARCHAR(255)    NOT NULL,
    role            VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bond            CHAR(16)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_ms      BIGINT          NOT NULL,
    seen_ms         BIGINT          NOT NULL,
    ends_ms         BIGINT          NOT NULL,
    PRIMARY KEY (id),
    KEY by_name (name(191)), -- an index of MySQL 5.6 takes 767 bytes
    KEY by_created (created_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
