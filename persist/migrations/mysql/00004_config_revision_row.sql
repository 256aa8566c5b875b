-- +goose Up
INSERT INTO config_revision (id, revision) VALUES (1, 0) ON DUPLICATE KEY UPDATE revision = revision;
