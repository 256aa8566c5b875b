-- +goose Up
CREATE INDEX IF NOT EXISTS audit_object ON audit (object);
