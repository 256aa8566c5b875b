package follow

import (
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/snapshot"
)

// Settings follow the database; what is broken there leaves the last good ones in force,
// also for the server that starts from its file.
func TestSettings(t *testing.T) {
	var log logBuffer
	source, store, registry := &catalog{}, snapshot.NewStore(), prometheus.NewRegistry()
	file := filepath.Join(t.TempDir(), "popups")
	w := New(store, Config{Source: source, Log: log.logger(), Registerer: registry, File: file})
	source.set(1, row(1, ``))
	revision := int64(1)
	for _, step := range []struct {
		name          string
		version       uint32
		spec          string
		gap           int64 // in force then
		inForce       uint32
		broken        float64
		logged, newer int // lines so far
	}{
		{"defaults", 0, ``, 0, 0, 0, 0, 0},
		{"first", 1, `{"min_gap_sec":60}`, 60, 1, 0, 0, 0},
		{"broken", 2, `{"min_gap_sec":-1}`, 60, 1, 1, 1, 0},
		{"still broken", 2, `{"min_gap_sec":-1}`, 60, 1, 1, 1, 0},
		{"of a newer version", 3, `{"min_gap_sec":70,"quiet":[]}`, 70, 3, 0, 1, 1},
		{"still of it", 3, `{"min_gap_sec":70,"quiet":[]}`, 70, 3, 0, 1, 1},
		{"the same version of another database", 3, `{"min_gap_sec":80}`, 80, 3, 0, 1, 1},
		{"defaults again", 0, ``, 0, 0, 0, 1, 1},
		{"last", 4, `{"min_gap_sec":90}`, 90, 4, 0, 1, 1},
		{"last, broken", 5, `{`, 90, 4, 1, 2, 1},
	} {
		revision++
		source.configure(revision, step.version, step.spec)
		if err := w.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := store.Current().Settings(); s.MinGapSec != step.gap || s.Version != step.inForce {
			t.Errorf("%s: version %d with a gap of %d in force, want %d with %d", step.name, s.Version, s.MinGapSec, step.inForce, step.gap)
		}
		if got := gathered(t, registry, "popupd_config_broken_popups"); got != step.broken {
			t.Errorf("%s: config_broken_popups %v, want %v", step.name, got, step.broken)
		}
		if broken, newer := log.count("settings are broken"), log.count("/quiet"); broken != step.logged || newer != step.newer {
			t.Errorf("%s: %d lines about broken settings and %d about fields, want %d and %d", step.name, broken, newer, step.logged, step.newer)
		}
	}
	if got := keys(store.Current().All()); got != "p1.1" {
		t.Errorf("%s in force beside broken settings", got)
	}
	w.save()
	again := snapshot.NewStore()
	if err := New(again, Config{Source: source, File: file, Log: log.logger()}).LoadFile(); err != nil {
		t.Fatal(err)
	}
	if s := again.Current().Settings(); s.MinGapSec != 90 || s.Version != 4 || keys(again.Current().All()) != "p1.1" {
		t.Errorf("from the file: version %d with a gap of %d", s.Version, s.MinGapSec)
	}
}
