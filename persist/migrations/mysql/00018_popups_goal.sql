-- +goose Up
-- MySQL has no ADD COLUMN IF NOT EXISTS.
SET @ddl = (SELECT IF(COUNT(*) > 0, 'DO 0',
    'ALTER TABLE popups
        ADD COLUMN goal_window_sec INT UNSIGNED NOT NULL DEFAULT 0,
        ADD KEY popups_goal (goal_window_sec)')
    FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'popups' AND COLUMN_NAME = 'goal_window_sec');
PREPARE ddl FROM @ddl;
EXECUTE ddl;
DEALLOCATE PREPARE ddl;
