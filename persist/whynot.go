package persist

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// keepWhyNot is how long rows of popup_why_not are kept: there may be some for each
// active popup and hour, those that nobody sees too.
const keepWhyNot = 90 * 24 * time.Hour

// whyNotTable names the table among the metrics.
const whyNotTable = "popup_why_not"

// whyNotBatch is how many rows one statement adds, or removes but for some of one popup.
const whyNotBatch = 500

// AddWhyNot adds what a server has counted to what is there, all of it or nothing. A
// caller that does not learn the outcome and adds it again counts it twice, which
// estimates can bear. The order of counts is changed.
func (db *DB) AddWhyNot(ctx context.Context, counts []popup.WhyNot) error {
	slices.SortFunc(counts, func(a, b popup.WhyNot) int { // so that servers do not wait for each other in a circle
		return cmp.Or(cmp.Compare(a.PopupID, b.PopupID), cmp.Compare(a.HourMS, b.HourMS), cmp.Compare(a.Reason.String(), b.Reason.String()))
	})
	suffix := db.dialect.upsert("popup_id, hour, reason") + db.dialect.expand("polls = polls + NEW(polls), sampled = sampled + NEW(sampled)")
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		for batch := range slices.Chunk(counts, whyNotBatch) {
			args := make([]any, 0, 5*len(batch))
			for _, c := range batch {
				args = append(args, c.PopupID, c.HourMS, c.Reason.String(), c.Polls, c.Sampled)
			}
			rows := strings.Repeat(", (?, ?, ?, ?, ?)", len(batch))[len(", "):]
			if _, err := tx.ExecContext(ctx, "INSERT INTO popup_why_not (popup_id, hour, reason, polls, sampled) VALUES "+rows+suffix, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add to popup_why_not: %w", err)
	}
	return nil
}

// WhyNot returns what stopped a popup in the hours that begin at fromMS or later and
// before toMS, summed over them, by reason. Reasons that this version does not know are
// left out.
func (db *DB) WhyNot(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.WhyNot, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT reason, SUM(polls), SUM(sampled) FROM popup_why_not"+
		" WHERE popup_id = ? AND hour >= ? AND hour < ? GROUP BY reason ORDER BY reason", id, fromMS, toMS)
	if err != nil {
		return nil, fmt.Errorf("read popup_why_not: %w", err)
	}
	list, err := collect(rows, func(s scanner) (popup.WhyNot, error) {
		var reason string
		c := popup.WhyNot{PopupID: id, HourMS: fromMS, Reason: popup.NumReasons}
		err := s.Scan(&reason, &c.Polls, &c.Sampled)
		for r := range popup.NumReasons {
			if r.String() == reason {
				c.Reason = r
			}
		}
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read popup_why_not: %w", err)
	}
	return slices.DeleteFunc(list, func(c popup.WhyNot) bool { return c.Reason == popup.NumReasons }), nil
}

// removeOldWhyNot deletes the rows of hours that are too old, some popups of an hour at a time.
func (x *expiry) removeOldWhyNot(ctx context.Context, cutoffMS int64, until time.Time) (finished bool, err error) {
	for {
		var oldest sql.NullInt64
		if err := x.read.QueryRowContext(ctx, "SELECT MIN(hour) FROM popup_why_not").Scan(&oldest); err != nil {
			return false, fmt.Errorf("look for old rows of popup_why_not: %w", err)
		}
		if !oldest.Valid || oldest.Int64 >= cutoffMS {
			return true, nil
		}
		last := int64(math.MaxUint32) // popup of the piece
		err := x.read.QueryRowContext(ctx, "SELECT popup_id FROM popup_why_not WHERE hour = ? ORDER BY popup_id LIMIT 1 OFFSET ?",
			oldest.Int64, whyNotBatch-1).Scan(&last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, fmt.Errorf("look for old rows of popup_why_not: %w", err)
		}
		result, err := x.write.ExecContext(ctx, "DELETE FROM popup_why_not WHERE hour = ? AND popup_id <= ?", oldest.Int64, last)
		if err != nil {
			return false, fmt.Errorf("delete old rows of popup_why_not: %w", err)
		}
		if n, err := result.RowsAffected(); err == nil {
			x.metrics.removed[whyNotTable].Add(float64(n))
		}
		if time.Now().After(until) {
			return false, nil
		}
	}
}
