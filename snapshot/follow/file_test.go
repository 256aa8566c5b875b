package follow

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

func TestLastGoodFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	source := &catalog{}
	now := int64(nowMS)
	first := New(snapshot.NewStore(), Config{Source: source, File: path, Now: func() int64 { return now }})
	if err := first.LoadFile(); err != nil {
		t.Fatalf("LoadFile without a file: %v", err)
	}
	source.set(11, row(1, ``), row(2, `"priority":3,"name":"<b>"`))
	if err := first.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The row in the store breaks; the file keeps the version in force.
	source.set(12, brokenRow(1, 2), row(2, `"priority":3,"name":"<b>"`))
	if err := first.Changed(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v, %v, want mode 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(path + "?*"); len(left) != 1 || left[0] != path+".changes" {
		t.Errorf("left behind: %v", left)
	}

	store, swapped := snapshot.NewStore(), 0
	second := New(store, Config{Source: source, File: path, OnSwap: func(*snapshot.Snapshot) { swapped++ }})
	if err := second.LoadFile(); err != nil {
		t.Fatal(err)
	}
	if got := keys(store.Current().All()); got != "p2.1 p1.1" || store.Current().Revision != 12 || swapped != 1 {
		t.Errorf("%q in force at revision %d after %d swaps, want p2.1 p1.1 at 12 after 1", got, store.Current().Revision, swapped)
	}
	loaded := store.Current().Popup(2)
	if err := second.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := keys(store.Current().All()); got != "p2.1 p1.1" {
		t.Errorf("%q in force after a restart and a reload, want p2.1 p1.1: the last good version is lost", got)
	}
	if store.Current().Popup(2) != loaded {
		t.Error("an unchanged popup was compiled again")
	}
	source.set(13)
	if err := second.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, appendFile(nil, catalogOf(first.store.Current()), 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := second.LoadFile(); err != nil || store.Current().Revision != 13 {
		t.Errorf("LoadFile after a reload: %v, revision %d, want 13", err, store.Current().Revision)
	}
}

// TestDamagedFile cuts the file at every byte and flips every byte: nothing of
// it may come into force.
func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	whole := appendFile(nil, popup.Catalog{Revision: 1, Popups: []popup.Row{row(1, ``)}}, nowMS)
	load := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		store := snapshot.NewStore()
		err := New(store, Config{File: path}).LoadFile()
		if err == nil || errors.Is(err, ErrNewerFile) || !strings.Contains(err.Error(), path) || store.Current().Revision != 0 {
			t.Fatalf("%s: %v, revision %d", name, err, store.Current().Revision)
		}
		if bad, err := os.ReadFile(path + ".bad"); err != nil || !bytes.Equal(bad, data) {
			t.Fatalf("%s: not set aside: %v", name, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s: the damaged file is still there: %v", name, err)
		}
	}
	for n := range whole {
		load(fmt.Sprintf("first %d bytes", n), whole[:n])
	}
	for i := range whole {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			data := bytes.Clone(whole)
			data[i] ^= flip
			load(fmt.Sprintf("byte %d ^ %#x", i, flip), data)
		}
	}
	load("another kind of file", []byte("popupd-journal 1 00000000\n{}"))
	load("one byte more", append(bytes.Clone(whole), '\n'))
}

func TestFileOfANewerRelease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	body := []byte(`{"tomorrow":true}`)
	data := append(fmt.Appendf(nil, "%s %d %08x\n", fileMagic, fileFormat+1, fileChecksum(fileFormat+1, body)), body...)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(snapshot.NewStore(), Config{File: path}).LoadFile(); !errors.Is(err, ErrNewerFile) {
		t.Errorf("LoadFile = %v, want %v", err, ErrNewerFile)
	}
	if left, err := os.ReadFile(path + ".bad"); err != nil || !bytes.Equal(left, data) {
		t.Errorf("the file was not set aside: %v", err)
	}
}

// TestFileOfAnEarlierRelease: it can be loaded, and is what this release writes.
func TestFileOfAnEarlierRelease(t *testing.T) {
	path := filepath.Join("testdata", "v1.popups")
	store := snapshot.NewStore()
	if err := New(store, Config{File: path}).LoadFile(); err != nil {
		t.Fatal(err)
	}
	s := store.Current()
	if got := keys(s.All()); got != "p2.1 p1.1" || s.Revision != 12 {
		t.Errorf("%s in force at revision %d, want p2.1 p1.1 at 12", got, s.Revision)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := appendFile(nil, catalogOf(s), nowMS); !bytes.Equal(got, want) {
		t.Errorf("written again\n got %s\nwant %s", got, want)
	}
}

// TestOlderFile: when the last-good file can't be used, the one before it is in
// force, and the next one to be written leaves it.
func TestOlderFile(t *testing.T) {
	newer := append(fmt.Appendf(nil, "%s %d %08x\n", fileMagic, fileFormat+1, fileChecksum(fileFormat+1, nil)), ""...)
	for _, c := range []struct {
		name         string
		first, older []byte // nil: no such file; empty: a good one
		err          error
		want         string
	}{
		{"both good", []byte{}, []byte{}, nil, "p2.1"},
		{"none", nil, nil, nil, ""},
		{"a crash between the renames", nil, []byte{}, nil, "p1.1"},
		{"damaged", []byte("popupd-snap"), []byte{}, errDamaged, "p1.1"},
		{"of a newer release", newer, []byte{}, ErrNewerFile, "p1.1"},
		{"damaged, and no older one", []byte("popupd-snap"), nil, errDamaged, ""},
		{"both damaged", []byte("popupd-snap"), []byte("x"), errDamaged, ""},
		{"good beside a damaged one", []byte{}, []byte("x"), nil, "p2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot")
			put := func(name string, data []byte, good popup.Row) {
				if data == nil {
					return
				}
				if len(data) == 0 {
					data = appendFile(nil, popup.Catalog{Revision: 1, Popups: []popup.Row{good}}, nowMS)
				}
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put(path, c.first, row(2, ``))
			put(path+".1", c.older, row(1, ``))
			store, source := snapshot.NewStore(), &catalog{}
			w := New(store, Config{Source: source, File: path})
			if err := w.LoadFile(); !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Errorf("LoadFile = %v, want %v", err, c.err)
			}
			if got := keys(store.Current().All()); got != c.want {
				t.Errorf("%q in force, want %q", got, c.want)
			}
			if c.want != "p1.1" {
				return
			}
			source.set(9, row(3, ``))
			if err := w.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{path: "p3.1", path + ".1": "p1.1"} {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				saved, err := parseFile(data)
				if err != nil || len(saved.Rows) != 1 || saved.Rows[0].Key+".1" != want {
					t.Errorf("%s holds %v, %v; want %s", name, saved.Rows, err, want)
				}
			}
		})
	}
}

// TestFileWithAPopupThatNoLongerCompiles: the others are served.
func TestFileWithAPopupThatNoLongerCompiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	if err := os.WriteFile(path, appendFile(nil, popup.Catalog{Revision: 3, Popups: []popup.Row{brokenRow(1, 1), row(2, ``)}}, nowMS), 0o600); err != nil {
		t.Fatal(err)
	}
	store := snapshot.NewStore()
	if err := New(store, Config{File: path}).LoadFile(); err != nil || keys(store.Current().All()) != "p2.1" {
		t.Errorf("LoadFile = %v, %q in force, want p2.1", err, keys(store.Current().All()))
	}
}

func TestFileThatCantBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "snapshot")
	var log logBuffer
	source := &catalog{}
	w := New(snapshot.NewStore(), Config{Source: source, File: path, Log: log.logger()})
	for revision := range int64(3) {
		source.set(revision+1, row(1, ``))
		if err := w.Reload(t.Context()); err != nil {
			t.Fatalf("a change is not in force because of the file: %v", err)
		}
	}
	if got := log.count("can't be written"); got != 1 {
		t.Errorf("logged %d times, want once", got)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.save()
	if _, err := os.Stat(path); err != nil || log.count("is written again") != 1 {
		t.Errorf("not written once it can be: %v", err)
	}
}

func TestUnchangedPopupsAreNotWrittenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	source := &catalog{}
	w := New(snapshot.NewStore(), Config{Source: source, File: path})
	write := func(revision int64, rows ...popup.Row) bool {
		t.Helper()
		os.Remove(path)
		source.set(revision, rows...)
		if err := w.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(path)
		return err == nil
	}
	for _, c := range []struct {
		name     string
		revision int64
		row      popup.Row
		want     bool
	}{
		{"first", 1, row(1, ``), true}, {"the same", 1, row(1, ``), false}, {"another revision", 2, row(1, ``), true}, {"another spec", 2, row(1, `"priority":1`), true},
	} {
		if got := write(c.revision, c.row); got != c.want {
			t.Errorf("%s: written %v, want %v", c.name, got, c.want)
		}
	}
}

// FuzzParseFile fuzzes what stands behind a good checksum: what is accepted can
// be put in force and written again.
func FuzzParseFile(f *testing.F) {
	_, body, _ := bytes.Cut(appendFile(nil, popup.Catalog{Revision: 7, Popups: []popup.Row{row(1, ``), brokenRow(2, 1)}}, nowMS), []byte("\n"))
	f.Add(body)
	f.Add([]byte(`{"rows":[{"id":1,"spec":null},{"id":1,"spec":{}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		saved, err := parseFile(append(fmt.Appendf(nil, "%s %d %08x\n", fileMagic, fileFormat, fileChecksum(fileFormat, body)), body...))
		if err != nil {
			return
		}
		s, _ := snapshot.Compile(saved.catalog(), nil)
		again, err := parseFile(appendFile(nil, catalogOf(s), 0))
		if err != nil {
			t.Fatal(err)
		}
		twice, broken := snapshot.Compile(again.catalog(), nil)
		broken = slices.DeleteFunc(broken, func(b snapshot.Broken) bool { return b.IsAudience }) // whose rows are kept as they are
		if len(broken) != 0 || keys(twice.All()) != keys(s.All()) || twice.Revision != s.Revision {
			t.Fatalf("in force %s at %d, written and read again %s at %d", keys(s.All()), s.Revision, keys(twice.All()), twice.Revision)
		}
	})
}
