-- +goose Up
CREATE TABLE IF NOT EXISTS user_popup (
    user_id             VARBINARY(128)  NOT NULL,
    popup_id            INT UNSIGNED    NOT NULL,
    impressions         INT UNSIGNED    NOT NULL,
    last_impression_ms  BIGINT          NOT NULL,
    acted               TINYINT UNSIGNED NOT NULL,
    last_action         TINYINT UNSIGNED NOT NULL,
    last_action_ms      BIGINT          NOT NULL,
    click_until_ms      BIGINT          NOT NULL,
    next_at_ms          BIGINT          NOT NULL,
    PRIMARY KEY (user_id, popup_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
