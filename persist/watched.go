package persist

import (
	"context"
	"fmt"
	"slices"

	"github.com/popupd/popupd/popup"
)

// EndedPopups returns the active popups whose schedules ended after a time and up to another.
func (db *DB) EndedPopups(ctx context.Context, afterMS, toMS int64) ([]popup.Popup, error) {
	rows, err := db.read.QueryContext(ctx, selectPopup+" WHERE status = 'active' AND end_at > ? AND end_at <= ? ORDER BY end_at, id", afterMS, toMS)
	if err != nil {
		return nil, fmt.Errorf("list popups that have ended: %w", err)
	}
	list, err := collect(rows, db.scanPopup)
	if err != nil {
		return nil, fmt.Errorf("list popups that have ended: %w", err)
	}
	ended := list[:0]
	for _, p := range list {
		if p.Schedule.EndAt != nil { // it may be broken by hand
			ended = append(ended, p)
		}
	}
	return ended, nil
}

// StarvingPopups returns the active popups, unchanged since fromMS, of which at least so many
// sampled polls of the hours since then say that another one went first, and that were shown
// in none. Controls count as shown.
func (db *DB) StarvingPopups(ctx context.Context, fromMS int64, sampled uint64) ([]popup.StarvingPopup, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT popup_id, SUM(CASE WHEN reason = 'outranked' THEN polls ELSE 0 END),"+
		" SUM(CASE WHEN reason = 'outranked' THEN sampled ELSE 0 END) FROM popup_why_not"+
		" WHERE hour >= ? AND reason IN ('outranked', 'eligible', 'control') GROUP BY popup_id"+
		" HAVING SUM(CASE WHEN reason = 'outranked' THEN sampled ELSE 0 END) >= ? AND SUM(CASE WHEN reason = 'outranked' THEN 0 ELSE sampled END) = 0"+
		" ORDER BY popup_id", fromMS, sampled)
	if err != nil {
		return nil, fmt.Errorf("list popups that starve: %w", err)
	}
	list, err := collect(rows, func(s scanner) (p popup.StarvingPopup, err error) {
		err = s.Scan(&p.ID, &p.Polls, &p.Sampled)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list popups that starve: %w", err)
	}
	estimates := map[uint32]popup.StarvingPopup{}
	for _, p := range list {
		estimates[p.ID] = p
	}
	var starving []popup.StarvingPopup
	for some := range slices.Chunk(list, keysAtOnce) {
		var args []any
		for _, p := range some {
			args = append(args, p.ID)
		}
		rows, err := db.read.QueryContext(ctx, selectPopup+" WHERE id IN ("+placeholders(len(some))+") AND status = 'active' AND updated_at <= ?"+
			" AND NOT EXISTS (SELECT 1 FROM popup_stats s WHERE s.popup_id = popups.id AND s.hour >= ? AND (s.impressions > 0 OR s.controls > 0))"+
			" ORDER BY id", append(args, fromMS, fromMS)...)
		if err != nil {
			return nil, fmt.Errorf("read popups that may starve: %w", err)
		}
		found, err := collect(rows, db.scanPopup)
		if err != nil {
			return nil, fmt.Errorf("read popups that may starve: %w", err)
		}
		for _, p := range found {
			e := estimates[p.ID]
			starving = append(starving, popup.StarvingPopup{Popup: p, Polls: e.Polls, Sampled: e.Sampled})
		}
	}
	return starving, nil
}
