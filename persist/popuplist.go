package persist

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/popupd/popupd/internal/popuplist"
	"github.com/popupd/popupd/popup"
)

// popupList keeps in memory what popups are listed by, as of a position of the catalog. A
// request that finds the catalog at another position reads the version of every popup, and
// those popups whose version it does not have. What somebody changes by hand without a new
// revision is found with the next one, if the popup has a new version.
type popupList struct {
	turn chan struct{} // holds a value while a request renews kept
	kept atomic.Pointer[keptList]
}

type keptList struct {
	at   popup.Position
	list *popuplist.List
}

func (l *popupList) init() {
	l.turn = make(chan struct{}, 1)
	l.kept.Store(&keptList{list: popuplist.New(nil)})
}

// FindPopups returns the page that a query asks for, and its popups, as they are now.
func (db *DB) FindPopups(ctx context.Context, q popuplist.Query) (popuplist.Page, []popup.Popup, error) {
	list, err := db.currentList(ctx)
	if err != nil {
		return popuplist.Page{}, nil, fmt.Errorf("list popups: %w", err)
	}
	page := list.Find(&q)
	popups, err := db.popupsOf(ctx, page.IDs)
	if err != nil {
		return popuplist.Page{}, nil, fmt.Errorf("list popups: %w", err)
	}
	return page, popups, nil
}

// ReadPopupList reads the list, so that the first request does not wait for that. Where it
// cannot, the first request does.
func (db *DB) ReadPopupList(ctx context.Context) error {
	if _, err := db.currentList(ctx); err != nil {
		db.log.Debug("the list of popups is read at the first request", "err", err)
	}
	return nil
}

// currentList returns the list at the catalog's present position or a later one.
func (db *DB) currentList(ctx context.Context) (*popuplist.List, error) {
	l := &db.popupList
	at, err := catalogPosition(ctx, db.read)
	if err != nil {
		return nil, err
	}
	if kept := l.kept.Load(); kept.isAt(at) {
		return kept.list, nil
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-l.turn }()
	before := l.kept.Load()
	if before.isAt(at) { // by another request, meanwhile
		return before.list, nil
	}
	list, err := db.readList(ctx, before.list.Entries())
	if err != nil {
		return nil, err
	}
	l.kept.Store(&keptList{at, list})
	return list, nil
}

// isAt tells that a list is not older than a position. A server of an earlier release, which
// writes no nonce, may have changed anything.
func (k *keptList) isAt(at popup.Position) bool { return at.Nonce != 0 && k.at == at }

// entryVersion names a state of a popup. One of a restored database may have the version of
// another, but not the time, too.
type entryVersion struct {
	id, version uint32
	updatedMS   int64
}

// readList returns the list as it is now. It reads those popups that are not among known, which
// are sorted by id.
func (db *DB) readList(ctx context.Context, known []*popuplist.Entry) (*popuplist.List, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT id, version, updated_at FROM popups ORDER BY id")
	if err != nil {
		return nil, err
	}
	versions, err := collect(rows, func(s scanner) (v entryVersion, err error) {
		err = s.Scan(&v.id, &v.version, &v.updatedMS)
		return v, err
	})
	if err != nil {
		return nil, err
	}
	var entries []*popuplist.Entry
	var changed []uint32
	for _, v := range versions {
		for len(known) > 0 && known[0].ID < v.id {
			known = known[1:]
		}
		if len(known) > 0 && (entryVersion{known[0].ID, known[0].Version, known[0].UpdatedAtMS}) == v {
			entries = append(entries, known[0])
		} else {
			changed = append(changed, v.id)
		}
	}
	for ids := range slices.Chunk(changed, keysAtOnce) {
		read, err := db.readEntries(ctx, ids)
		if err != nil {
			return nil, err
		}
		entries = append(entries, read...)
	}
	slices.SortFunc(entries, func(a, b *popuplist.Entry) int { return cmp.Compare(a.ID, b.ID) })
	return popuplist.New(entries), nil
}

func (db *DB) readEntries(ctx context.Context, ids []uint32) ([]*popuplist.Entry, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT id, version, updated_at, `key`, status, spec FROM popups WHERE id IN ("+placeholders(len(ids))+")", anyOf(ids)...)
	if err != nil {
		return nil, err
	}
	var spec sql.RawBytes
	return collect(rows, func(s scanner) (*popuplist.Entry, error) {
		var id, version uint32
		var updatedMS int64
		var key string
		var status popup.Status
		if err := s.Scan(&id, &version, &updatedMS, &key, &status, &spec); err != nil {
			return nil, err
		}
		return popuplist.NewEntry(id, version, updatedMS, key, status, spec), nil
	})
}

// popupsOf returns popups in the order of their ids. One that somebody has deleted is missing.
func (db *DB) popupsOf(ctx context.Context, ids []uint32) ([]popup.Popup, error) {
	popups := make(map[uint32]popup.Popup, len(ids))
	for some := range slices.Chunk(ids, keysAtOnce) {
		rows, err := db.read.QueryContext(ctx, selectPopup+" WHERE id IN ("+placeholders(len(some))+")", anyOf(some)...)
		if err != nil {
			return nil, err
		}
		list, err := collect(rows, db.scanPopup)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			popups[p.ID] = p
		}
	}
	var list []popup.Popup
	for _, id := range ids {
		if p, ok := popups[id]; ok {
			list = append(list, p)
		}
	}
	return list, nil
}

// RecentStats sums the statistics of popups over all variants, by steps of stepMS from fromMS on:
// those of hours that begin before toMS. A step in which nothing happened has no row.
func (db *DB) RecentStats(ctx context.Context, ids []uint32, fromMS, toMS, stepMS int64) (map[uint32][]popup.Counts, error) {
	sums := map[uint32][]popup.Counts{}
	if len(ids) == 0 {
		return sums, nil
	}
	if len(ids) > keysAtOnce {
		return nil, errors.New("read recent stats: of too many popups")
	}
	args := slices.Concat([]any{fromMS, stepMS}, anyOf(ids), []any{fromMS, toMS})
	rows, err := db.read.QueryContext(ctx, "SELECT popup_id, hour - (hour - ?) % ? AS step, SUM(impressions), SUM(controls), SUM(clicks), SUM(dismisses),"+
		" SUM(converts), SUM(views), SUM(releases), SUM(users), SUM(click_users), SUM(convert_users), SUM(control_users)"+
		" FROM popup_stats WHERE popup_id IN ("+placeholders(len(ids))+") AND hour >= ? AND hour < ? GROUP BY popup_id, step ORDER BY popup_id, step", args...)
	if err != nil {
		return nil, fmt.Errorf("read recent stats: %w", err)
	}
	type row struct {
		id uint32
		popup.Counts
	}
	list, err := collect(rows, func(s scanner) (c row, err error) {
		err = s.Scan(&c.id, &c.HourMS, &c.Impressions, &c.Controls, &c.Clicks, &c.Dismisses, &c.Converts, &c.Views, &c.Releases,
			&c.Users, &c.ClickUsers, &c.ConvertUsers, &c.ControlUsers)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read recent stats: %w", err)
	}
	for _, r := range list {
		sums[r.id] = append(sums[r.id], r.Counts)
	}
	return sums, nil
}
