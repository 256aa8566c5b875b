package follow

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// saving is a watcher that reads changes and keeps a last-good file.
type saving struct {
	*testing.T
	source  *catalog
	watcher *Watcher
	path    string
}

func newSaving(t *testing.T) *saving {
	s := &saving{T: t, source: &catalog{history: map[popup.Position]popup.Catalog{}}, path: filepath.Join(t.TempDir(), "popups")}
	s.watcher = s.again()
	return s
}

// again returns the watcher of another process on the same file.
func (s *saving) again() *Watcher {
	return New(snapshot.NewStore(), Config{Source: s.source, File: s.path, Now: func() int64 { return nowMS }})
}

// set changes the catalog, and has the watcher follow.
func (s *saving) set(revision int64, rows ...popup.Row) {
	s.Helper()
	s.source.set(revision, rows...)
	if err := s.watcher.Changed(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// loaded returns what a start finds in the file.
func (s *saving) loaded() popup.Catalog {
	s.Helper()
	w := s.again()
	if err := w.LoadFile(); err != nil {
		s.Fatal(err)
	}
	return catalogOf(w.store.Current())
}

func (s *saving) isLoaded(when string) {
	s.Helper()
	if d := cmp.Diff(catalogOf(s.watcher.store.Current()), s.loaded()); d != "" {
		s.Errorf("%s: (-in force +loaded):\n%s", when, d)
	}
}

func (s *saving) read(path string) []byte {
	s.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	return b
}

// TestChangesAreAppended: a change leaves the last-good file as it is, until there are as
// many changes as there is in that.
func TestChangesAreAppended(t *testing.T) {
	s := newSaving(t)
	s.set(1, row(1, ``), row(2, ``))
	base := s.read(s.path)
	changed := row(1, `"priority":3,"name":"<b>\u2028"`)
	changed.Version = 2
	s.set(2, changed, row(2, ``))
	s.set(3, changed, row(3, ``))
	s.source.configure(4, 1, `{"min_gap_sec":7}`)
	if err := s.watcher.Changed(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.isLoaded("after four changes")
	if got := s.loaded(); got.Revision != 4 || len(got.Popups) != 2 || string(got.Settings.Spec) != `{"min_gap_sec":7}` {
		t.Errorf("loaded %+v", got)
	}
	s.source.configure(5, 0, ``)
	if err := s.watcher.Changed(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.isLoaded("without settings")
	if info, err := os.Stat(s.path + ".changes"); err != nil || info.Mode().Perm() != 0o600 || !bytes.Equal(base, s.read(s.path)) {
		t.Fatalf("the last-good file was written again, or its changes have mode %v, %v", info.Mode(), err)
	}
	for version := uint32(3); bytes.Equal(base, s.read(s.path)); version++ {
		if version > 300 {
			t.Fatal("the last-good file is never written again")
		}
		changed := row(1, fmt.Sprintf(`"variants":[{"key":"a","content":{"title":%q}}]`, strings.Repeat("x", 1000)))
		changed.Version = version
		s.set(int64(version)+3, changed, row(3, ``))
		s.isLoaded(fmt.Sprint("version ", version))
	}
	if size := len(s.read(s.path + ".1.changes")); size < leastChanges || size > leastChanges+2000 {
		t.Errorf("written again after %d bytes of changes, want %d", size, leastChanges)
	}
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if got, want := s.loaded().Revision, s.watcher.store.Current().Revision-1; got != want {
		t.Errorf("the file before is of revision %d with its changes, want %d", got, want)
	}
}

// TestDamagedChanges cuts the changes at each byte, and flips each: what was before is in
// force, and nothing else.
func TestDamagedChanges(t *testing.T) {
	s := newSaving(t)
	states := map[int64]popup.Catalog{}
	for revision := int64(1); revision <= 3; revision++ {
		changed := row(1, ``)
		changed.Version = uint32(revision)
		s.set(revision, changed, row(uint32(revision)+1, ``))
		states[revision] = catalogOf(s.watcher.store.Current())
	}
	path := s.path + ".changes"
	whole := s.read(path)
	load := func(name string, data []byte, least int64) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got := s.loaded()
		if d := cmp.Diff(states[got.Revision], got); d != "" || got.Revision < least {
			t.Fatalf("%s: revision %d (-as it was +loaded):\n%s", name, got.Revision, d)
		}
	}
	for n := range whole {
		load(fmt.Sprintf("first %d bytes", n), whole[:n], int64(max(1, bytes.Count(whole[:n], []byte("\n")))))
	}
	for i := range whole {
		data := bytes.Clone(whole)
		data[i] ^= 1 << (i % 8)
		load(fmt.Sprintf("byte %d ^ %#x", i, 1<<(i%8)), data, 1)
	}
	load("whole", whole, 3)
}

// TestUnreadableChanges: a last-good file whose changes can't be read is in force without
// them, and so is the one before it. An error is logged.
func TestUnreadableChanges(t *testing.T) {
	for _, c := range []struct {
		unreadable   string
		newest, then int64 // revisions that are loaded
	}{
		{".changes", 2, 1},
		{".1.changes", 3, 1},
	} {
		s := newSaving(t)
		s.set(1, row(1, ``))
		s.watcher.closeChanges()
		s.set(2, row(2, ``)) // in a last-good file of its own
		s.set(3, row(3, ``)) // in its changes
		path := s.path + c.unreadable
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(path, 0o700); err != nil { // a directory can't be read, not by root either
			t.Fatal(err)
		}
		load := func(want int64) {
			t.Helper()
			var log logBuffer
			w := New(snapshot.NewStore(), Config{Source: s.source, File: s.path, Log: log.logger()})
			if err := w.LoadFile(); err != nil || w.store.Current().Revision != want || w.store.Current().Len() != 1 {
				t.Errorf("%s: revision %d with %d popups, %v; want revision %d with 1", c.unreadable, w.store.Current().Revision, w.store.Current().Len(), err, want)
			}
			if log.count("level=ERROR") != 1 || log.count("path="+path) != 1 {
				t.Errorf("%s: logged %s", c.unreadable, log.buf.String())
			}
		}
		load(c.newest)
		if err := os.Remove(s.path); err != nil {
			t.Fatal(err)
		}
		load(c.then)
	}
}

// TestOthersFile: a server whose file was replaced or removed, as by a second process on its
// directory, writes it again.
func TestOthersFile(t *testing.T) {
	s := newSaving(t)
	revision := int64(1)
	s.set(revision, row(1, ``))
	for name, replace := range map[string]func() error{
		"another process has begun": func() error { return s.again().Reload(t.Context()) },
		"removed":                   func() error { return os.Remove(s.path) },
		"changes removed":           func() error { return os.Remove(s.path + ".changes") },
		"changes replaced": func() error {
			return os.Rename(s.path+".changes", s.path+".1.changes")
		},
	} {
		revision++
		s.set(revision, row(1, ``), row(uint32(revision), ``))
		if err := replace(); err != nil {
			t.Fatal(err)
		}
		revision++
		s.set(revision, row(1, ``), row(uint32(revision), ``))
		s.isLoaded(name)
	}
}

// TestChangesThatCantBeWritten: then the whole file is, with the next change or second.
func TestChangesThatCantBeWritten(t *testing.T) {
	s := newSaving(t)
	s.set(1, row(1, ``))
	if err := s.watcher.changes.f.Close(); err != nil {
		t.Fatal(err)
	}
	s.set(2, row(2, ``))
	s.watcher.save()
	s.isLoaded("after a save that failed")
}

// TestChangesAreSynced: a running watcher has them on disk within a second or so. If that
// fails, the whole file is written.
func TestChangesAreSynced(t *testing.T) {
	s := newSaving(t)
	isSynced := func() bool {
		s.watcher.saveMu.Lock()
		defer s.watcher.saveMu.Unlock()
		return s.watcher.changes != nil && s.watcher.changes.isSynced
	}
	s.set(1, row(1, ``))
	s.set(2, row(2, ``))
	if isSynced() {
		t.Fatal("synced before it was asked for: this test says nothing")
	}
	run(t, s.watcher)
	eventually(t, "the change is on disk", 5*time.Second, isSynced)

	failing := newSaving(t)
	failing.set(1, row(1, ``))
	failing.set(2, row(2, ``))
	if err := failing.watcher.changes.f.Close(); err != nil {
		t.Fatal(err)
	}
	failing.watcher.syncSaved()
	before := failing.read(failing.path)
	failing.watcher.save()
	if bytes.Equal(before, failing.read(failing.path)) {
		t.Error("the last-good file is not written again after its changes could not be synced")
	}
}
