package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// PutAudienceRule makes an audience of a rule, or replaces an audience by one. It returns
// [popup.FieldErrors] if the rule names audiences that are not there, or rules would name
// each other in a circle, and what [popup.AudienceChange] says. The rule must be valid.
func (db *DB) PutAudienceRule(ctx context.Context, c popup.AudienceChange, rule popup.Targeting) (popup.StoredAudience, error) {
	row := popup.AudienceRow{Key: c.Key, Rule: rule.Encode()}
	return db.putAudience(ctx, c, row, func(g *audienceGraph) error { return g.checkRule(c.Key, &rule) })
}

// PutAudienceList makes an audience of a compiled list of so many users, or replaces an
// audience by one. It writes the list before it changes anything else, so that a failure
// leaves the audience as it was.
func (db *DB) PutAudienceList(ctx context.Context, c popup.AudienceChange, list io.WriterTo, members uint64) (popup.StoredAudience, error) {
	no, err := db.writeList(ctx, list)
	if err != nil {
		return popup.StoredAudience{}, fmt.Errorf("put audience %s: %w", c.Key, err)
	}
	return db.putAudience(ctx, c, popup.AudienceRow{Key: c.Key, List: no, Members: members}, nil)
}

// putAudience writes a row if check lets it.
func (db *DB) putAudience(ctx context.Context, c popup.AudienceChange, row popup.AudienceRow, check func(*audienceGraph) error) (stored popup.StoredAudience, err error) {
	row.UpdatedAtMS, row.Actor = db.now(), clip(c.Actor, maxActor)
	err = db.inRevision(ctx, func(tx *sql.Tx) (uint32, error) {
		g, err := readAudienceGraph(ctx, tx)
		if err != nil {
			return 0, err
		}
		before, err := g.expect(c)
		if err != nil {
			return 0, err
		}
		if check != nil {
			if err := check(g); err != nil {
				return 0, err
			}
		}
		if err := db.writeAudience(ctx, tx, before, &row); err != nil {
			return 0, err
		}
		if _, err := audit(ctx, tx, c.Change, row.UpdatedAtMS, audienceObject(c.Key), before.Version, row.Version); err != nil {
			return 0, err
		}
		g.replace(row)
		stored = g.stored(&row)
		return changedAudiences, nil
	})
	if err != nil {
		return popup.StoredAudience{}, fmt.Errorf("put audience %s: %w", c.Key, err)
	}
	return stored, nil
}

// DeleteAudience deletes an audience. It returns a [popup.AudienceInUseError] if anything
// names it, and what [popup.AudienceChange] says.
func (db *DB) DeleteAudience(ctx context.Context, c popup.AudienceChange) error {
	err := db.inRevision(ctx, func(tx *sql.Tx) (uint32, error) {
		g, err := readAudienceGraph(ctx, tx)
		if err != nil {
			return 0, err
		}
		before, err := g.expect(c)
		if err != nil {
			return 0, err
		}
		if by := g.uses(c.Key); len(by.Popups)+len(by.Audiences) > 0 {
			return 0, &popup.AudienceInUseError{By: by}
		}
		atMS := db.now()
		if err := exactly(1)(tx.ExecContext(ctx, "UPDATE audiences SET deleted = 1, rule = NULL, list_no = 0, members = 0, version = ?, updated_at = ?, actor = ?"+
			" WHERE id = ?", before.Version+1, atMS, clip(c.Actor, maxActor), before.ID)); err != nil {
			return 0, err
		}
		if err := db.retireList(ctx, tx, before.List); err != nil {
			return 0, err
		}
		_, err = audit(ctx, tx, c.Change, atMS, audienceObject(c.Key), before.Version, 0)
		return changedAudiences, err
	})
	if err != nil {
		return fmt.Errorf("delete audience %s: %w", c.Key, err)
	}
	return nil
}

// expect returns the audience that is changed, a zero row for a new one, if it is as the
// change expects.
func (g *audienceGraph) expect(c popup.AudienceChange) (popup.AudienceRow, error) {
	i := slices.IndexFunc(g.audiences, func(r popup.AudienceRow) bool { return r.Key == c.Key })
	switch {
	case i < 0 && !c.New:
		return popup.AudienceRow{}, popup.ErrNotFound
	case i < 0 && len(g.audiences) >= popup.MaxAudiences:
		return popup.AudienceRow{}, popup.ErrTooManyAudiences
	case i >= 0 && c.New:
		return popup.AudienceRow{}, popup.ErrExists
	case i >= 0 && c.Version != 0 && c.Version != g.audiences[i].Version:
		return popup.AudienceRow{}, popup.ErrStale
	case !c.Live && g.isLive(c.Key):
		return popup.AudienceRow{}, popup.ErrAudienceLive
	case i < 0:
		return popup.AudienceRow{}, nil
	}
	return g.audiences[i], nil
}

// writeAudience writes the row in the place of the one before, and sets its id and version. A
// row of the same key may be there that was deleted.
func (db *DB) writeAudience(ctx context.Context, tx *sql.Tx, before popup.AudienceRow, row *popup.AudienceRow) error {
	row.ID, row.Version = before.ID, before.Version+1
	if before.ID == 0 {
		err := tx.QueryRowContext(ctx, "SELECT id, version FROM audiences WHERE `key` = ?", row.Key).Scan(&row.ID, &row.Version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil {
			row.Version++
		}
	}
	rule := sql.NullString{String: string(row.Rule), Valid: row.Rule != nil}
	if row.ID == 0 {
		r, err := tx.ExecContext(ctx, "INSERT INTO audiences (`key`, version, deleted, rule, list_no, members, updated_at, actor) VALUES (?, ?, 0, ?, ?, ?, ?, ?)",
			row.Key, row.Version, rule, row.List, row.Members, row.UpdatedAtMS, row.Actor)
		if err != nil {
			return err
		}
		id, err := r.LastInsertId()
		row.ID = uint32(id)
		if err != nil {
			return err
		}
	} else if err := exactly(1)(tx.ExecContext(ctx, "UPDATE audiences SET version = ?, deleted = 0, rule = ?, list_no = ?, members = ?, updated_at = ?, actor = ? WHERE id = ?",
		row.Version, rule, row.List, row.Members, row.UpdatedAtMS, row.Actor, row.ID)); err != nil {
		return err
	}
	if err := db.adoptList(ctx, tx, row.List); err != nil {
		return err
	}
	return db.retireList(ctx, tx, before.List)
}

// replace makes the graph that of after the change.
func (g *audienceGraph) replace(row popup.AudienceRow) {
	delete(g.rules, row.Key)
	if row.Rule != nil {
		rule := decodeBroken(row.Rule, popup.DecodeStoredAudienceRule)
		g.rules[row.Key] = &rule
	}
}

// checkRule returns why the rule may not be the one of an audience.
func (g *audienceGraph) checkRule(key string, rule *popup.Targeting) error {
	refs := rule.Audiences("/rule")
	if err := g.checkNames(refs, key); err != nil {
		return err
	}
	rules := make([]string, 0, len(g.rules)+1)
	for name := range g.rules {
		rules = append(rules, name)
	}
	if g.rules[key] == nil {
		rules = append(rules, key)
	}
	slices.Sort(rules)
	_, cycle := popup.OrderAudiences(rules, func(name string) []string {
		if name == key {
			return namesOf(refs)
		}
		return g.namedBy(name)
	})
	if i := slices.Index(cycle, key); i >= 0 {
		circle := append(slices.Concat(cycle[i:], cycle[:i]), key)
		for _, r := range refs {
			if r.Key == circle[1] {
				return popup.FieldErrors{{Pointer: r.Pointer, Detail: "names the audience that is being defined, in a circle: " + strings.Join(circle, " -> ")}}
			}
		}
	}
	return nil
}

// checkNames returns the references to audiences that are neither there nor allowed.
func (g *audienceGraph) checkNames(refs []popup.AudienceRef, allowed ...string) error {
	var errs popup.FieldErrors
	for _, r := range refs {
		isNamed := func(a popup.AudienceRow) bool { return a.Key == r.Key }
		if !slices.ContainsFunc(g.audiences, isNamed) && !slices.Contains(allowed, r.Key) {
			errs = append(errs, popup.FieldError{Pointer: r.Pointer, Detail: "there is no audience " + r.Key})
		}
	}
	if errs == nil {
		return nil
	}
	return errs
}

// checkAudiences returns which audiences a popup names that are not there. A paused popup may
// go on naming those that it named before, or nobody could pause it.
func checkAudiences(ctx context.Context, tx *sql.Tx, s *popup.Spec, before []popup.AudienceRef) error {
	refs := s.Audiences()
	if len(refs) == 0 || s.Status == popup.Archived {
		return nil
	}
	rows, err := audienceRows(ctx, tx)
	if err != nil {
		return err
	}
	var allowed []string
	if s.Status == popup.Paused {
		allowed = namesOf(before)
	}
	g := audienceGraph{audiences: rows}
	return g.checkNames(refs, allowed...)
}

// audienceObject is what the audit trail calls an audience.
func audienceObject(key string) string { return "audience:" + key }
