-- +goose Up
CREATE TABLE IF NOT EXISTS audience_list (
    list_no         BIGINT UNSIGNED NOT NULL,
    removing        TINYINT UNSIGNED NOT NULL,
    updated_ms      BIGINT          NOT NULL,
    PRIMARY KEY (list_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
