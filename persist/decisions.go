package persist

import (
	"context"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// A decision of an experiment is stored once, by whichever server finds it first, in a
// transaction of its own. Whoever tells others of decisions does so in
// [experiments.evaluate], in that transaction, or reads them with [DB.ExperimentDecisions].

// insertDecision stores a decision, at the present time of the store, and reports whether
// it is a new one.
func (db *DB) insertDecision(ctx context.Context, to execer, d popup.ExperimentDecision) (isNew bool, err error) {
	r, err := to.ExecContext(ctx, "INSERT INTO experiment_decision (popup_id, goal, variant, at_ms, lift, lift_low, lift_high)"+
		" SELECT p.id, ?, ?, "+db.dialect.now+", ?, ?, ? FROM popups p WHERE p.id = ?"+
		" AND NOT EXISTS (SELECT 1 FROM experiment_decision d WHERE d.popup_id = p.id AND d.goal = ? AND d.variant = ?)",
		string(d.Goal), d.Variant, d.Lift, d.LiftLow, d.LiftHigh, d.PopupID, string(d.Goal), d.Variant)
	if err != nil {
		return false, fmt.Errorf("store a decision: %w", err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("store a decision: %w", err)
	}
	return n > 0, nil
}

// ExperimentDecisions returns the decisions of afterMS and later, oldest first. Those that
// are committed at this moment may still get a time that is a few seconds old, so who asks
// again and again asks for a minute more and leaves out what it knows by popup, goal and
// variant.
func (db *DB) ExperimentDecisions(ctx context.Context, afterMS int64) ([]popup.ExperimentDecision, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT d.popup_id, p.`key`, d.goal, d.variant, d.at_ms, d.lift, d.lift_low, d.lift_high"+
		" FROM experiment_decision d JOIN popups p ON p.id = d.popup_id WHERE d.at_ms >= ? ORDER BY d.at_ms, d.popup_id, d.goal, d.variant", afterMS)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	list, err := collect(rows, func(s scanner) (d popup.ExperimentDecision, err error) {
		err = s.Scan(&d.PopupID, &d.Key, &d.Goal, &d.Variant, &d.AtMS, &d.Lift, &d.LiftLow, &d.LiftHigh)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	return list, nil
}
