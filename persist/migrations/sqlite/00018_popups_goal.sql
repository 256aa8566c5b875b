-- +goose Up
ALTER TABLE popups ADD COLUMN goal_window_sec INTEGER NOT NULL DEFAULT 0;
CREATE INDEX popups_goal ON popups (goal_window_sec);
