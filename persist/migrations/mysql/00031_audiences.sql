-- +goose Up
CREATE TABLE IF NOT EXISTS audiences (
    id              INT UNSIGNED    NOT NULL AUTO_INCREMENT,
    `key`           VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version         INT UNSIGNED    NOT NULL,
    deleted         TINYINT UNSIGNED NOT NULL,
    rule            MEDIUMTEXT      NULL,
    list_no         BIGINT UNSIGNED NOT NULL,
    members         BIGINT UNSIGNED NOT NULL,
    updated_at      BIGINT          NOT NULL,
    actor           VARCHAR(255)    NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY by_key (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
