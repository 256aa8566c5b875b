-- +goose Up
ALTER TABLE popups ADD COLUMN source TEXT NOT NULL DEFAULT '';
