-- +goose Up
CREATE TABLE IF NOT EXISTS webhook_outbox (
    id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    subject         VARCHAR(160)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    webhook_id      VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body            MEDIUMTEXT      NOT NULL,
    created_ms      BIGINT          NOT NULL,
    due_ms          BIGINT          NOT NULL,
    attempts        INT UNSIGNED    NOT NULL,
    result          VARCHAR(255)    NOT NULL,
    settled_ms      BIGINT          NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY by_subject (subject),
    KEY by_due (settled_ms, due_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
