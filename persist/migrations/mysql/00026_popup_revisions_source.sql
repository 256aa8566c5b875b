-- +goose Up
-- MySQL has no ADD COLUMN IF NOT EXISTS.
SET @ddl = (SELECT IF(COUNT(*) > 0, 'DO 0',
    'ALTER TABLE popup_revisions ADD COLUMN source VARCHAR(512) NOT NULL DEFAULT ''''')
    FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'popup_revisions' AND COLUMN_NAME = 'source');
PREPARE ddl FROM @ddl;
EXECUTE ddl;
DEALLOCATE PREPARE ddl;
