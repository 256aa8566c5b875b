-- +goose Up
CREATE TABLE IF NOT EXISTS erasure (
    id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    user_id         VARBINARY(128)  NOT NULL,
    at_ms           BIGINT          NOT NULL,
    queued_ms       BIGINT          NOT NULL,
    done_ms         BIGINT          NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
