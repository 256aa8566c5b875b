package persist

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/popupd/popupd/internal/experiment"
	"github.com/popupd/popupd/popup"
)

// Experiment returns how many users of a popup's experiment have each outcome, clicks and
// conversions within so many days of the exposure.
func (db *DB) Experiment(ctx context.Context, id uint32, windowDays int) ([]popup.ExperimentCount, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT version, variant, outcome, SUM(users) FROM experiment_count"+
		" WHERE popup_id = ? AND days < ? GROUP BY version, variant, outcome HAVING SUM(users) <> 0 ORDER BY version, variant, outcome", id, windowDays)
	if err != nil {
		return nil, fmt.Errorf("read an experiment: %w", err)
	}
	list, err := collect(rows, func(s scanner) (c popup.ExperimentCount, err error) {
		err = s.Scan(&c.Version, &c.Variant, &c.Outcome, &c.Users)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read an experiment: %w", err)
	}
	return list, nil
}

// deleteExperimentUser deletes what a user did in experiments up to a reset, and takes the
// user out of what is counted of them.
func (db *DB) deleteExperimentUser(ctx context.Context, user []byte, resetMS int64) error {
	x := &db.experiments
	x.mu.Lock()
	defer x.mu.Unlock()
	return db.inTx(ctx, func(tx *sql.Tx) error {
		if err := lockExperiments(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT popup_id, exposed_ms, version, variant, mixed_ms, click_ms, convert_ms FROM experiment_user"+
			" WHERE user_id = ? AND exposed_ms <= ?", db.dialect.user(user), resetMS)
		if err != nil {
			return fmt.Errorf("read what a user did in experiments: %w", err)
		}
		list, err := collect(rows, func(s scanner) (u experimentUser, err error) {
			err = s.Scan(&u.popup, &u.exposedMS, &u.version, &u.variant, &u.mixedMS, &u.clickMS, &u.convertMS)
			return u, err
		})
		if err != nil {
			return fmt.Errorf("read what a user did in experiments: %w", err)
		}
		counts := map[experimentKey]int64{}
		for i := range list {
			list[i].count(counts, -1)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM experiment_user WHERE user_id = ? AND exposed_ms <= ?", db.dialect.user(user), resetMS); err != nil {
			return fmt.Errorf("take a user out of experiments: %w", err)
		}
		return x.addCounts(ctx, tx, counts)
	})
}

// popupVersion is a version of a popup.
type popupVersion struct{ popup, version uint32 }

// versionsFor is how long the versions of popups are believed to be what they were: those of
// a database that was restored are others.
const versionsFor = 10 * time.Minute

// experimentVersions are the versions that have users see one of several variants.
type experimentVersions struct {
	readAt time.Time
	latest map[uint32]uint32 // by popup: up to which version they are known
	popups map[uint32]bool   // that have such versions
	tests  map[popupVersion]bool
}

// forgetOld forgets all versions if they are known for long. It must not be called while
// those of some events are being looked up.
func (v *experimentVersions) forgetOld() {
	if time.Since(v.readAt) > versionsFor {
		*v = experimentVersions{time.Now(), map[uint32]uint32{}, map[uint32]bool{}, map[popupVersion]bool{}}
	}
}

func (v *experimentVersions) isTest(of popupVersion) bool { return v.tests[of] }

// has reports whether a popup has such versions, of which it reads those that it does not
// know, at least up to the given one.
func (v *experimentVersions) has(ctx context.Context, from queryer, of popupVersion) (bool, error) {
	if of.version <= v.latest[of.popup] {
		return v.popups[of.popup], nil
	}
	rows, err := from.QueryContext(ctx, "SELECT version, spec FROM popup_revisions WHERE popup_id = ? AND version > ?", of.popup, v.latest[of.popup])
	if err != nil {
		return false, fmt.Errorf("read versions of popup %d: %w", of.popup, err)
	}
	defer rows.Close()
	latest := of.version
	for rows.Next() {
		var version uint32
		var spec []byte
		if err := rows.Scan(&version, &spec); err != nil {
			return false, fmt.Errorf("read versions of popup %d: %w", of.popup, err)
		}
		latest = max(latest, version)
		if s := decodeBroken(spec, popup.DecodeStored); experiment.IsTest(&s) {
			v.tests[popupVersion{of.popup, version}], v.popups[of.popup] = true, true
		}
	}
	if err := rows.Err(); err != nil {
		return false, fmt.Errorf("read versions of popup %d: %w", of.popup, err)
	}
	v.latest[of.popup] = latest
	return v.popups[of.popup], nil
}

// evaluateEvery is how often an experiment whose counts change is evaluated. It may be so at
// any time: see package experiment.
const evaluateEvery = 30 * time.Second

// evaluation is when an experiment was evaluated.
type evaluation struct {
	at  time.Time
	due bool // its counts have changed since
}

// isDue notes that the counts of a popup's experiment have changed.
func (x *experiments) isDue(id uint32) {
	if x.due[id] == nil {
		x.due[id] = &evaluation{}
	}
	x.due[id].due = true
}

// decide stores the decisions of experiments that are due.
func (x *experiments) decide(ctx context.Context) error {
	if !x.isListed {
		rows, err := x.read.QueryContext(ctx, "SELECT DISTINCT popup_id FROM experiment_count")
		if err != nil {
			return fmt.Errorf("list experiments: %w", err)
		}
		ids, err := collect(rows, func(s scanner) (id uint32, err error) {
			err = s.Scan(&id)
			return id, err
		})
		if err != nil {
			return fmt.Errorf("list experiments: %w", err)
		}
		for _, id := range ids {
			x.isDue(id)
		}
		x.isListed = true
	}
	for id, e := range x.due {
		if !e.due || time.Since(e.at) < evaluateEvery {
			continue
		}
		if err := x.evaluate(ctx, id); err != nil {
			return fmt.Errorf("evaluate the experiment of popup %d: %w", id, err)
		}
		e.at, e.due = time.Now(), false
	}
	return nil
}

// evaluate stores the decisions of an experiment.
func (x *experiments) evaluate(ctx context.Context, id uint32) error {
	revisions, err := x.revisionsWhere(ctx, "p.id = ?", id)
	if err != nil {
		return err
	}
	counts, err := x.Experiment(ctx, id, experiment.WindowDays(&revisions[0].Spec))
	if err != nil {
		return err
	}
	result, ok := experiment.Evaluate(revisions, counts)
	if !ok {
		return nil
	}
	for _, d := range result.Decisions() {
		d.PopupID = id
		var isNew bool
		if err := x.inTx(ctx, func(tx *sql.Tx) (err error) {
			isNew, err = x.insertDecision(ctx, tx, d)
			return err
		}); err != nil {
			return err
		}
		if isNew {
			x.log.Info("experiment tells a variant apart", "popup_id", id, "goal", d.Goal, "variant", d.Variant, "lift", d.Lift)
		}
	}
	return nil
}
