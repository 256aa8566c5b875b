-- +goose Up
CREATE TABLE IF NOT EXISTS audit (
    id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    at_ms           BIGINT          NOT NULL,
    actor           VARCHAR(255)    NOT NULL,
    action          VARCHAR(32)     NOT NULL,
    object          VARCHAR(160)    NOT NULL,
    from_version    INT UNSIGNED    NOT NULL,
    to_version      INT UNSIGNED    NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
