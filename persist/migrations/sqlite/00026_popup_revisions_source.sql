-- +goose Up
ALTER TABLE popup_revisions ADD COLUMN source TEXT NOT NULL DEFAULT '';
