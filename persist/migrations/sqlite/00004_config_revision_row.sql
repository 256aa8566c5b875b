-- +goose Up
INSERT INTO config_revision (id, revision) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
