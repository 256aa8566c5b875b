-- +goose Up
CREATE TABLE IF NOT EXISTS popup_revisions (
    popup_id        INT UNSIGNED    NOT NULL,
    version         INT UNSIGNED    NOT NULL,
    spec            MEDIUMTEXT      NOT NULL,
    actor           VARCHAR(255)    NOT NULL,
    created_at      BIGINT          NOT NULL,
    PRIMARY KEY (popup_id, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
