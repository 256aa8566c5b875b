package persist

import (
	"context"
	"fmt"
	"slices"

	"github.com/popupd/popupd/popup"
)

// An audience keeps its row when it is deleted, so that a version of a key names one state
// of it for ever: a server, or an operator's If-Match, can't take a new audience for the
// one that was deleted.

// audienceRows returns all audiences by key, as they are stored.
func audienceRows(ctx context.Context, q queryer) ([]popup.AudienceRow, error) {
	rows, err := q.QueryContext(ctx, "SELECT id, version, `key`, rule, list_no, members, updated_at, actor FROM audiences WHERE deleted = 0 ORDER BY `key`")
	if err != nil {
		return nil, fmt.Errorf("read audiences: %w", err)
	}
	list, err := collect(rows, func(s scanner) (r popup.AudienceRow, err error) {
		err = s.Scan(&r.ID, &r.Version, &r.Key, &r.Rule, &r.List, &r.Members, &r.UpdatedAtMS, &r.Actor)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read audiences: %w", err)
	}
	return list, nil
}

// Audiences returns all audiences by key.
func (db *DB) Audiences(ctx context.Context) ([]popup.StoredAudience, error) {
	tx, err := snapshot(ctx, db.read)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	g, err := readAudienceGraph(ctx, tx)
	if err != nil {
		return nil, err
	}
	list := make([]popup.StoredAudience, 0, len(g.audiences))
	for i := range g.audiences {
		list = append(list, g.stored(&g.audiences[i]))
	}
	return list, nil
}

// Audience returns the audience with this key, or [popup.ErrNotFound].
func (db *DB) Audience(ctx context.Context, key string) (popup.StoredAudience, error) {
	list, err := db.Audiences(ctx)
	if err != nil {
		return popup.StoredAudience{}, err
	}
	i := slices.IndexFunc(list, func(a popup.StoredAudience) bool { return a.Key == key })
	if i < 0 {
		return popup.StoredAudience{}, fmt.Errorf("read audience %s: %w", key, popup.ErrNotFound)
	}
	return list[i], nil
}

// audienceGraph says which popups and which rules name which audiences.
type audienceGraph struct {
	audiences []popup.AudienceRow // by key
	rules     map[string]*popup.Targeting
	popups    []popupUse // those that are not archived and name any, by key
}

type popupUse struct {
	key    string
	status popup.Status
	names  []string
}

func readAudienceGraph(ctx context.Context, q queryer) (*audienceGraph, error) {
	g := &audienceGraph{rules: map[string]*popup.Targeting{}}
	var err error
	if g.audiences, err = audienceRows(ctx, q); err != nil {
		return nil, err
	}
	for _, row := range g.audiences {
		if row.Rule != nil {
			rule := decodeBroken(row.Rule, popup.DecodeStoredAudienceRule)
			g.rules[row.Key] = &rule
		}
	}
	rows, err := q.QueryContext(ctx, "SELECT `key`, status, spec FROM popups WHERE status <> 'archived' AND spec LIKE '%audience%' ORDER BY `key`")
	if err != nil {
		return nil, fmt.Errorf("read what names audiences: %w", err)
	}
	uses, err := collect(rows, func(s scanner) (u popupUse, err error) {
		var spec []byte
		if err := s.Scan(&u.key, &u.status, &spec); err != nil {
			return u, err
		}
		p := decodeBroken(spec, popup.DecodeStored)
		u.names = namesOf(p.Audiences())
		return u, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what names audiences: %w", err)
	}
	g.popups = slices.DeleteFunc(uses, func(u popupUse) bool { return len(u.names) == 0 })
	return g, nil
}

// namesOf returns each key once.
func namesOf(refs []popup.AudienceRef) (names []string) {
	for _, r := range refs {
		names = append(names, r.Key)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// namedBy returns the keys that a rule names, none for what is no rule.
func (g *audienceGraph) namedBy(key string) []string {
	rule := g.rules[key]
	if rule == nil {
		return nil
	}
	return namesOf(rule.Audiences(""))
}

// uses returns what names an audience.
func (g *audienceGraph) uses(key string) popup.AudienceUse {
	use := popup.AudienceUse{Popups: []string{}, Audiences: []string{}}
	for _, p := range g.popups {
		if slices.Contains(p.names, key) {
			use.Popups = append(use.Popups, p.key)
		}
	}
	for _, a := range g.audiences {
		if slices.Contains(g.namedBy(a.Key), key) {
			use.Audiences = append(use.Audiences, a.Key)
		}
	}
	return use
}

// isLive reports whether a popup that is no draft depends on an audience: names it, or one
// whose rule does.
func (g *audienceGraph) isLive(key string) bool {
	seen := map[string]bool{}
	var reach func(names []string)
	reach = func(names []string) {
		for _, name := range names {
			if !seen[name] {
				seen[name] = true
				reach(g.namedBy(name))
			}
		}
	}
	for _, p := range g.popups {
		if p.status != popup.Draft {
			reach(p.names)
		}
	}
	return seen[key]
}

// stored returns an audience as operators see it.
func (g *audienceGraph) stored(row *popup.AudienceRow) popup.StoredAudience {
	a := popup.StoredAudience{
		Key: row.Key, Kind: popup.AudienceList, Version: row.Version, UpdatedAt: timeOf(row.UpdatedAtMS), UpdatedBy: row.Actor,
		Rule: g.rules[row.Key], Members: row.Members, UsedBy: g.uses(row.Key),
	}
	if a.Rule != nil {
		a.Kind = popup.AudienceRule
	}
	return a
}
