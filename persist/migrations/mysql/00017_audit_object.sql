-- +goose Up
-- MySQL has no ADD INDEX IF NOT EXISTS. ALTER needs no privilege INDEX, as CREATE INDEX does.
SET @ddl = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE audit ADD INDEX object (object)')
    FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'audit' AND INDEX_NAME = 'object');
PREPARE ddl FROM @ddl;
EXECUTE ddl;
DEALLOCATE PREPARE ddl;
