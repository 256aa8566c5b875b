package follow

import (
	"context"
	"fmt"
	"time"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// reload reads what has changed since the snapshot in force, or everything if the source
// can't tell, and puts it in force.
func (w *Watcher) reload(ctx context.Context) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, span := w.c.Tracer.Start(ctx, "reload")
	defer func() { w.end(span, err) }()
	askedMS, at := w.c.Now(), *w.position.Load()
	change, known, err := w.c.Source.Changes(ctx, at)
	switch {
	case err != nil:
		w.metrics.reloadErrors.Inc()
		return fmt.Errorf("read what has changed: %w", err)
	case !known, change.Audiences != nil && w.lacksKey():
		return w.reloadAllLocked(ctx)
	case change.Revision != at.Revision:
		previous := w.store.Current()
		w.apply(ctx, change)
		w.observePropagation(previous)
	}
	w.confirmedMS.Store(askedMS)
	return nil
}

// lacksKey reports whether the key of fingerprints has not been read yet, as from a last-good
// file of an earlier release.
func (w *Watcher) lacksKey() bool {
	_, key := w.store.Current().Audiences()
	return key == audience.Key{}
}

func (w *Watcher) reloadAll(ctx context.Context) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, span := w.c.Tracer.Start(ctx, "reload")
	defer func() { w.end(span, err) }()
	return w.reloadAllLocked(ctx)
}

// end ends the span of a reload.
func (w *Watcher) end(span tracing.Span, err error) {
	span.Set("popupd.revision", int(w.position.Load().Revision))
	span.End(err)
}

func (w *Watcher) reloadAllLocked(ctx context.Context) error {
	askedMS := w.c.Now()
	c, err := w.c.Source.Rows(ctx)
	if err != nil {
		w.metrics.reloadErrors.Inc()
		return fmt.Errorf("read popups: %w", err)
	}
	previous := w.store.Current()
	w.install(ctx, c)
	w.confirmedMS.Store(askedMS)
	if w.loaded.Swap(true) {
		w.observePropagation(previous)
	}
	return nil
}

// install compiles a whole catalog and puts it in force. The caller holds w.mu.
func (w *Watcher) install(ctx context.Context, c popup.Catalog) {
	start := time.Now()
	_, span := w.c.Tracer.Start(ctx, "compile all popups")
	next, broken := snapshot.Compile(c, w.store.Current())
	span.Set("popupd.popups", len(c.Popups))
	span.Set("popupd.broken", len(broken))
	span.End(nil)
	w.metrics.compile.Observe(time.Since(start).Seconds())
	logged := w.broken
	w.broken = make(map[rowName]uint32, len(broken))
	w.reportBroken(next, broken, logged)
	w.swap(next, popup.Position{Revision: c.Revision, Nonce: c.Nonce})
}

// apply puts a change in force. The caller holds w.mu.
func (w *Watcher) apply(ctx context.Context, c popup.CatalogChange) {
	start := time.Now()
	_, span := w.c.Tracer.Start(ctx, "compile what has changed")
	next, broken := snapshot.Apply(w.store.Current(), c)
	span.Set("popupd.popups", len(c.Popups))
	span.Set("popupd.broken", len(broken))
	span.End(nil)
	w.metrics.compile.Observe(time.Since(start).Seconds())
	logged := map[rowName]uint32{} // of the rows of the change
	forget := func(row rowName) {
		if version, ok := w.broken[row]; ok {
			logged[row] = version
			delete(w.broken, row)
		}
	}
	for i := range c.Popups {
		forget(rowName{id: c.Popups[i].ID})
	}
	if c.Settings != nil {
		forget(rowName{})
	}
	if c.Audiences != nil {
		for row := range w.broken {
			if row.isAudience {
				forget(row)
			}
		}
	}
	w.reportBroken(next, broken, logged)
	w.swap(next, popup.Position{Revision: c.Revision, Nonce: c.Nonce})
}

// rowName names a row of a popup, or of an audience; id 0: the settings.
type rowName struct {
	isAudience bool
	id         uint32
}

// swap puts a snapshot in force. The caller holds w.mu.
func (w *Watcher) swap(next *snapshot.Snapshot, at popup.Position) {
	previous := w.store.Current()
	w.reportIgnored(previous, next)
	w.store.Set(next)
	w.toSave(previous, next)
	w.position.Store(&at)
	w.swapped = time.Now()
	if usesAudiences(next) || len(w.unavailable) > 0 || !sameAudiences(previous, next) {
		retry.Notify(w.listsWanted)
	}
	if w.c.OnSwap != nil {
		w.c.OnSwap(next)
	}
}

// compact makes requests as cheap as after a start again, once no change has come for a
// while.
func (w *Watcher) compact() {
	w.mu.Lock()
	wait := w.toCompact - time.Since(w.swapped)
	w.mu.Unlock()
	if wait > 0 {
		return
	}
	start, last := time.Now(), w.store.Current()
	if last == w.compacted {
		return
	}
	w.compacted = snapshot.Compact(last)
	if w.compacted == last {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.toCompact = max(quiet, compactShare*time.Since(start))
	if w.store.Current() == last { // else a change came meanwhile
		w.swap(w.compacted, *w.position.Load())
	}
}

// reportBroken notes rows as broken, and logs those of which not the same version was
// logged before. The caller holds w.mu.
func (w *Watcher) reportBroken(s *snapshot.Snapshot, broken []snapshot.Broken, logged map[rowName]uint32) {
	for _, b := range broken {
		row := rowName{b.IsAudience, b.ID}
		w.broken[row] = b.Version
		if version, ok := logged[row]; ok && version == b.Version {
			continue
		}
		if b.IsAudience {
			w.c.Log.Error("config: audience is broken and was skipped", "id", b.ID, "key", b.Key, "version", b.Version, "err", b.Err)
			continue
		}
		if b.ID == 0 {
			w.c.Log.Error("config: the settings are broken and were skipped",
				"version", b.Version, "version_in_force", s.Settings().Version, "err", b.Err)
			continue
		}
		inForce := "none"
		if p := s.Popup(b.ID); p != nil && p.Key == b.Key {
			inForce = fmt.Sprint(p.Version)
		}
		w.c.Log.Error("config: popup is broken and was skipped", "id", b.ID, "key", b.Key,
			"version", b.Version, "version_in_force", inForce, "err", b.Err)
	}
	w.metrics.broken.Set(float64(len(w.broken)))
}

// reportIgnored logs what a newer version has written and this one does not know, once
// for each version of a popup and of the settings.
func (w *Watcher) reportIgnored(previous, next *snapshot.Snapshot) {
	if s := next.Settings(); len(s.Ignored) > 0 && s != previous.Settings() {
		w.c.Log.Warn("config: fields of the settings are not known and ignored: a newer version has written them",
			"version", s.Version, "fields", s.Ignored)
	}
	for _, p := range next.Changed() {
		if len(p.Ignored) > 0 {
			w.c.Log.Warn("config: fields of a popup are not known and ignored: a newer version has written them",
				"id", p.ID, "key", p.Key, "version", p.Version, "fields", p.Ignored)
		}
	}
}

// observePropagation measures from the latest change that is in force now and was not in
// previous. The time of the change is by the clock of the server that made it; nothing but
// the metric depends on it.
func (w *Watcher) observePropagation(previous *snapshot.Snapshot) {
	next, changedMS := w.store.Current(), int64(0)
	if s := next.Settings(); s != previous.Settings() {
		changedMS = s.Row().UpdatedAtMS
	}
	if rows, _ := next.Audiences(); !sameAudiences(previous, next) {
		for i := range rows {
			changedMS = max(changedMS, rows[i].UpdatedAtMS)
		}
	}
	for _, p := range next.Changed() {
		changedMS = max(changedMS, p.Row().UpdatedAtMS)
	}
	if changedMS > 0 {
		w.metrics.propagation.Observe(float64(max(0, w.c.Now()-changedMS)) / 1000)
	}
}
