-- +goose Up
CREATE TABLE IF NOT EXISTS admin_token (
    id              CHAR(16)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name            VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    role            VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hash            CHAR(64)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_ms      BIGINT          NOT NULL,
    created_by      VARCHAR(255)    NOT NULL,
    expires_ms      BIGINT          NOT NULL,
    last_used_ms    BIGINT          NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY by_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
