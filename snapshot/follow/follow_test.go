package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// logBuffer is a log that tests may read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) count(s string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.buf.String(), s)
}

func (b *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// gathered returns the value of a metric: of a histogram, the number of observations.
func gathered(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		m := f.GetMetric()[0]
		switch f.GetType().String() {
		case "COUNTER":
			return m.GetCounter().GetValue()
		case "HISTOGRAM":
			return float64(m.GetHistogram().GetSampleCount())
		}
		return m.GetGauge().GetValue()
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// nowMS is Wednesday, 2026-07-01T12:00:00Z.
const nowMS = 1_782_907_200_000

// row returns version 1 of an active popup named after its id, p7; members are
// further members of its spec.
func row(id uint32, members string) popup.Row {
	key := fmt.Sprintf("p%d", id)
	spec := `{"key":"` + key + `","status":"active"`
	if members != "" {
		spec += "," + members
	}
	return popup.Row{ID: id, Version: 1, UpdatedAtMS: nowMS, Key: key, Spec: []byte(spec + "}")}
}

func keys(popups []*snapshot.Popup) string {
	var names []string
	for _, p := range popups {
		names = append(names, fmt.Sprintf("%s.%d", p.Key, p.Version))
	}
	return strings.Join(names, " ")
}

// brokenRow is a row that does not compile, in its given version.
func brokenRow(id, version uint32) popup.Row {
	r := row(id, `"priority":"red"`)
	r.Version = version
	return r
}

// Popups that a newer version has written are in force without the fields that are not
// known here, which is logged once.
func TestFieldsOfANewerVersion(t *testing.T) {
	var log logBuffer
	source, store, registry := &catalog{}, snapshot.NewStore(), prometheus.NewRegistry()
	w := New(store, Config{Source: source, Log: log.logger(), Registerer: registry})
	newer := row(1, `"colour":"red","schedule":{"moon_time":true}`)
	changed := newer
	changed.Version = 2
	for i, step := range []struct {
		row    popup.Row
		want   string
		logged int
	}{{newer, "p1.1", 1}, {newer, "p1.1", 1}, {changed, "p1.2", 2}} {
		source.set(int64(i), step.row)
		if err := w.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := keys(store.Current().All()); got != step.want {
			t.Errorf("reload %d: %s in force, want %s", i, got, step.want)
		}
		if got := log.count("/colour /schedule/moon_time"); got != step.logged {
			t.Errorf("reload %d: %d lines about fields, want %d", i, got, step.logged)
		}
		if got := gathered(t, registry, "popupd_config_broken_popups"); got != 0 {
			t.Errorf("reload %d: config_broken_popups %v, want 0", i, got)
		}
	}
}

func TestReload(t *testing.T) {
	t.Run("everything", func(t *testing.T) { testReload(t, &catalog{}, (*Watcher).Reload) })
	t.Run("changes", func(t *testing.T) {
		source := &catalog{history: map[popup.Position]popup.Catalog{}}
		testReload(t, source, (*Watcher).Changed)
		if source.reads != 2 || source.told != 4 {
			t.Errorf("read everything %d times and changes %d times; want the first and where the revision went back, and four", source.reads, source.told)
		}
	})
}

func testReload(t *testing.T, source *catalog, reload func(*Watcher, context.Context) error) {
	var log logBuffer
	store, registry := snapshot.NewStore(), prometheus.NewRegistry()
	var swapped []int64
	w := New(store, Config{Source: source, Log: log.logger(), Registerer: registry, OnSwap: func(s *snapshot.Snapshot) {
		if store.Current() != s {
			t.Error("OnSwap was called before the snapshot was in force")
		}
		swapped = append(swapped, s.Revision)
	}})
	steps := []struct {
		name     string
		revision int64
		rows     []popup.Row
		want     string
		broken   float64
		logged   int // lines about broken popups so far
	}{
		{"first", 5, []popup.Row{row(1, ``), row(2, ``)}, "p1.1 p2.1", 0, 0},
		{"a change breaks a popup", 6, []popup.Row{brokenRow(1, 2), row(2, ``)}, "p1.1 p2.1", 1, 1},
		{"another change, still broken", 7, []popup.Row{brokenRow(1, 2), row(2, ``), row(3, ``)}, "p1.1 p2.1 p3.1", 1, 1},
		{"broken in another way", 8, []popup.Row{brokenRow(1, 3), row(2, ``)}, "p1.1 p2.1", 1, 2},
		{"the store was restored", 4, []popup.Row{row(2, ``)}, "p2.1", 0, 2},
		{"broken again, nothing to fall back on", 9, []popup.Row{brokenRow(1, 3), row(2, ``)}, "p2.1", 1, 3},
	}
	for _, step := range steps {
		source.set(step.revision, step.rows...)
		if err := reload(w, t.Context()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := keys(store.Current().All()); got != step.want || store.Current().Revision != step.revision {
			t.Errorf("%s: %s in force at revision %d, want %s at %d", step.name, got, store.Current().Revision, step.want, step.revision)
		}
		if got := gathered(t, registry, "popupd_config_broken_popups"); got != step.broken {
			t.Errorf("%s: config_broken_popups %v, want %v", step.name, got, step.broken)
		}
		if got := log.count("popup is broken"); got != step.logged {
			t.Errorf("%s: %d lines about broken popups, want %d", step.name, got, step.logged)
		}
		if got := gathered(t, registry, "popupd_config_revision"); got != float64(step.revision) {
			t.Errorf("%s: config_revision %v, want %d", step.name, got, step.revision)
		}
	}
	if len(swapped) != len(steps) {
		t.Errorf("OnSwap saw %v", swapped)
	}

	outage := errors.New("no route to host")
	source.fail(outage)
	if err := reload(w, t.Context()); !errors.Is(err, outage) {
		t.Errorf("Reload = %v, want %v", err, outage)
	}
	if got := store.Current().Revision; got != 9 {
		t.Errorf("revision %d after a failed reload, want 9", got)
	}
	if got := gathered(t, registry, "popupd_config_reload_errors_total"); got != 1 {
		t.Errorf("config_reload_errors_total %v, want 1", got)
	}
}

func TestRunPollsTheRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		source, store, registry := &catalog{}, snapshot.NewStore(), prometheus.NewRegistry()
		w := New(store, Config{Source: source, Log: log.logger(), Registerer: registry})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Errorf("Run = %v", err)
			}
		})
		after := func(d time.Duration) { time.Sleep(d); synctest.Wait() } // the bubble's clock, not a real wait
		expect := func(what string, revision int64, reads int) {
			t.Helper()
			got, _ := source.counts()
			if store.Current().Revision != revision || got != reads {
				t.Errorf("%s: revision %d after %d reads, want %d after %d", what, store.Current().Revision, got, revision, reads)
			}
		}
		source.set(3, row(1, ``))
		after(20 * time.Millisecond)
		expect("at the start", 3, 1)

		after(10 * time.Second)
		expect("nothing changed", 3, 1)
		if _, asked := source.counts(); asked != 10 {
			t.Errorf("asked for the revision %d times in 10 s, want 10", asked)
		}
		source.set(4, row(1, ``), row(2, ``))
		after(time.Second)
		expect("a change", 4, 2)
		source.set(2, row(1, ``))
		after(time.Second)
		expect("a revision that went back", 2, 3)

		source.fail(errors.New("connection refused"))
		after(60 * time.Second)
		expect("an outage", 2, 3)
		if got := gathered(t, registry, "popupd_config_reload_errors_total"); got != 60 {
			t.Errorf("config_reload_errors_total %v, want 60", got)
		}
		if got := gathered(t, registry, "popupd_config_age_seconds"); got < 59 || got > 61 {
			t.Errorf("config_age_seconds %v, want about 60", got)
		}
		source.set(5, row(1, ``))
		source.fail(nil)
		after(time.Second)
		expect("after the outage", 5, 4)
		if down, up := log.count("can't be read"), log.count("can be read again"); down != 1 || up != 1 {
			t.Errorf("an outage of a minute was logged %d times, its end %d times, want once each", down, up)
		}
		if got := gathered(t, registry, "popupd_config_age_seconds"); got > 1 {
			t.Errorf("config_age_seconds %v after the outage", got)
		}
		cancel()
		wg.Wait()
	})
}

func TestRunRetriesTheFirstReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, store := &catalog{err: errors.New("connection refused")}, snapshot.NewStore()
		w := New(store, Config{Source: source})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { w.Run(ctx) })
		time.Sleep(5 * time.Second)
		source.set(0, row(1, ``)) // the revision alone would not tell
		source.fail(nil)
		time.Sleep(1100 * time.Millisecond)
		if got := keys(store.Current().All()); got != "p1.1" {
			t.Errorf("in force: %q, want p1.1", got)
		}
		cancel()
		wg.Wait()
	})
}

func TestPropagationIsMeasuredFromTheChange(t *testing.T) {
	registry, source := prometheus.NewRegistry(), &catalog{}
	now := int64(nowMS)
	w := New(snapshot.NewStore(), Config{Source: source, Registerer: registry, Now: func() int64 { return now }})
	reload := func(revision int64, rows ...popup.Row) float64 {
		t.Helper()
		source.set(revision, rows...)
		if err := w.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		return gathered(t, registry, "popupd_config_propagation_seconds")
	}
	if got := reload(1, row(1, ``)); got != 0 {
		t.Errorf("the first load was taken for a change: %v observations", got)
	}
	now += 40
	if got := reload(2, row(1, ``), row(2, ``)); got != 1 {
		t.Errorf("%v observations after a change, want 1", got)
	}
	if got := reload(3, row(1, ``), row(2, ``)); got != 1 {
		t.Errorf("%v observations after a reload without a change, want 1", got)
	}
}

func TestCompilationsAreTimed(t *testing.T) {
	registry, source := prometheus.NewRegistry(), &catalog{}
	w := New(snapshot.NewStore(), Config{Source: source, Registerer: registry})
	for n := range 2 {
		source.set(int64(n+1), row(1, ``))
		if err := w.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := gathered(t, registry, "popupd_snapshot_compile_seconds"); got != float64(n+1) {
			t.Errorf("%v observations after %d reloads", got, n+1)
		}
	}
}

// TestReloadsAreSerialised holds up a reload that has read the catalog until one
// that was begun after the next change has had its chance.
func TestReloadsAreSerialised(t *testing.T) {
	held := make(chan struct{})
	source, store := &catalog{revision: 1}, snapshot.NewStore()
	w := New(store, Config{Source: &heldCatalog{catalog: source, held: held}})
	reload := func() chan struct{} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := w.Reload(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		return done
	}
	first := reload()
	eventually(t, "the first reload has read", 5*time.Second, func() bool { reads, _ := source.counts(); return reads == 1 })
	source.set(2)
	second := reload()
	select {
	case <-second:
	case <-time.After(50 * time.Millisecond): // it waits, as it should
	}
	close(held)
	<-first
	<-second
	if got := store.Current().Revision; got != 2 {
		t.Errorf("revision %d in force after the change to 2", got)
	}
}

// heldCatalog answers the first read only once held is closed.
type heldCatalog struct {
	*catalog
	held  chan struct{}
	later atomic.Bool
}

func (c *heldCatalog) Rows(ctx context.Context) (popup.Catalog, error) {
	rows, err := c.catalog.Rows(ctx)
	if !c.later.Swap(true) {
		<-c.held
	}
	return rows, err
}
