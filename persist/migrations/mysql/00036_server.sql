-- +goose Up
CREATE TABLE IF NOT EXISTS server (
    id                CHAR(32)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name              VARCHAR(255)    NOT NULL,
    address           VARCHAR(255)    NOT NULL,
    version           VARCHAR(64)     NOT NULL,
    state             VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    revision          BIGINT          NOT NULL,
    waiting_events    BIGINT UNSIGNED NOT NULL,
    oldest_event_ms   BIGINT          NOT NULL,
    journal_bytes     BIGINT          NOT NULL,
    journal_max_bytes BIGINT          NOT NULL,
    started_ms        BIGINT          NOT NULL,
    seen_ms           BIGINT          NOT NULL,
    PRIMARY KEY (id),
    KEY by_seen (seen_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
