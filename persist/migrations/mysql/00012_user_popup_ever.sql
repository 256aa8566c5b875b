-- +goose Up
-- MySQL has no ADD COLUMN IF NOT EXISTS.
SET @ddl = (SELECT IF(COUNT(*) > 0, 'DO 0',
    'ALTER TABLE user_popup
        ADD COLUMN last_shown_ms BIGINT           NOT NULL DEFAULT 0,
        ADD COLUMN ever          TINYINT UNSIGNED NOT NULL DEFAULT 0,
        ADD COLUMN ever_before   TINYINT UNSIGNED NOT NULL DEFAULT 0')
    FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'user_popup' AND COLUMN_NAME = 'ever_before');
PREPARE ddl FROM @ddl;
EXECUTE ddl;
DEALLOCATE PREPARE ddl;
