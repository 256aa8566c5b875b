-- +goose Up
CREATE TABLE IF NOT EXISTS experiment_user (
    user_id     VARBINARY(128)  NOT NULL,
    popup_id    INT UNSIGNED    NOT NULL,
    exposed_ms  BIGINT          NOT NULL,
    version     INT UNSIGNED    NOT NULL,
    variant     VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    mixed_ms    BIGINT          NOT NULL,
    click_ms    BIGINT          NOT NULL,
    convert_ms  BIGINT          NOT NULL,
    PRIMARY KEY (user_id, popup_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
