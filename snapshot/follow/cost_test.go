//go:build unix

package follow

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// many is a server with many popups in its database and in force.
type many struct {
	testing.TB
	db      *persist.DB
	watcher *Watcher
	n       int
	changes int
}

func newMany(t testing.TB, n int, driver, name string, c persist.Config) *many {
	t.Helper()
	c.Host, c.Registerer = "test", prometheus.NewRegistry()
	db, err := persist.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close(); db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := &many{TB: t, db: db, n: n}
	const rows = 100 // a statement
	for at := 0; at < n; at += rows {
		var values []string
		for i := at; i < min(at+rows, n); i++ {
			values = append(values, fmt.Sprintf("('p%d', 'active', 0, 0, '%s', 1, 0)", i, m.spec(i, 1).Encode()))
		}
		if _, err := raw.Exec("INSERT INTO popups (`key`, status, priority, max_impressions, spec, version, updated_at) VALUES " + strings.Join(values, ", ")); err != nil {
			t.Fatal(err)
		}
	}
	m.watcher = New(snapshot.NewStore(), Config{Source: db, File: filepath.Join(t.TempDir(), "popups")})
	m.change()
	if err := m.watcher.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

// spec returns popup i with conditions of its own.
func (m *many) spec(i, priority int) popup.Spec {
	m.Helper()
	s, err := popup.Decode(fmt.Appendf(nil, `{"key":"p%d","status":"active","priority":%d,"placements":["default","place-%d"],
		"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"orders","op":"gte","value":%d},{"attr":"plan","op":"eq","value":"plan-%d"}]},
		"variants":[{"key":"a","weight":1,"content":{"title":"Spring sale","body":"Up to 40 %% off, today only."}}]}`, i, priority, i%50, i, i%1000))
	if err != nil {
		m.Fatal(err)
	}
	return s
}

// change changes one popup in the database.
func (m *many) change() {
	m.Helper()
	m.changes++
	if _, err := m.db.Put(m.Context(), popup.Change{Actor: "test", Action: "update"}, 0, m.spec(m.changes*7919%m.n, m.changes%9)); err != nil {
		m.Fatal(err)
	}
}

// follow puts the change in force.
func (m *many) follow() {
	m.Helper()
	if err := m.watcher.Changed(m.Context()); err != nil {
		m.Fatal(err)
	}
}

// TestChangeAllocatesWhatChanges: to put a change in force and to save it takes no more
// memory among many popups than among few.
func TestChangeAllocatesWhatChanges(t *testing.T) {
	perChange := map[int]uint64{}
	for _, n := range []int{100, 3000} {
		path := filepath.Join(t.TempDir(), "popupd.db")
		m := newMany(t, n, "sqlite", path, persist.Config{SQLite: path})
		const changes = 50
		for range changes {
			m.change()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m.follow()
			runtime.ReadMemStats(&after)
			perChange[n] += (after.TotalAlloc - before.TotalAlloc) / changes
		}
		if got, want := m.watcher.store.Current().Revision, int64(m.changes); got != want {
			t.Errorf("revision %d in force, want %d", got, want)
		}
	}
	t.Logf("bytes a change: %v", perChange)
	if perChange[3000] > 2*perChange[100] {
		t.Errorf("a change allocates %d bytes among 100 popups, %d among 3000", perChange[100], perChange[3000])
	}
}

// BenchmarkChange puts a change of one popup in force, which is read from MariaDB and
// appended to the last-good file. CPU is that of this process.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint("popups=", n), func(b *testing.B) {
			dsn := storetest.MySQL(b)
			m := newMany(b, n, "mysql", dsn, persist.Config{DSN: dsn})
			b.ReportAllocs()
			var cpu time.Duration
			for b.Loop() {
				b.StopTimer()
				m.change()
				from := processCPU(b)
				b.StartTimer()
				m.follow()
				cpu += processCPU(b) - from
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "us-CPU/op")
		})
	}
}

// BenchmarkStart is what a start has to do with the popups: it reads all of them from MariaDB,
// compiles them and writes the last-good file, or reads that where there is no database.
func BenchmarkStart(b *testing.B) {
	dsn := storetest.MySQL(b)
	m := newMany(b, 10_000, "mysql", dsn, persist.Config{DSN: dsn})
	again := func() *Watcher { return New(snapshot.NewStore(), Config{Source: m.db, File: m.watcher.c.File}) }
	steps := map[string]func(w *Watcher) error{
		"database": func(w *Watcher) error { return w.Reload(b.Context()) },
		"file":     (*Watcher).LoadFile,
		"read": func(*Watcher) error {
			_, err := m.db.Rows(b.Context())
			return err
		},
	}
	for _, name := range []string{"database", "read", "file"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			from := processCPU(b)
			for b.Loop() {
				if err := steps[name](again()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processCPU(b)-from).Milliseconds())/float64(b.N), "ms-CPU/op")
		})
	}
}

func processCPU(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
