package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var errDamaged = errors.New("damaged")

// read takes content that starts with "good"; "bad" is unusable, anything else
// can't be read now.
func read(got *string) func(*os.File) error {
	return func(f *os.File) error {
		b, err := io.ReadAll(f)
		switch *got = string(b); {
		case err != nil:
			return err
		case strings.HasPrefix(*got, "good"):
			return nil
		case strings.HasPrefix(*got, "bad"):
			return fmt.Errorf("%w: %s", errDamaged, *got)
		}
		return errors.New("input/output error")
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func newFile(t *testing.T) *File {
	return &File{Path: filepath.Join(t.TempDir(), "name"), Unusable: []error{errDamaged}}
}

// content returns what a file holds, "" if there is none.
func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// names returns the names beside the file.
func (f *File) names(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestReplaceKeepsTheGenerationBefore(t *testing.T) {
	f := newFile(t)
	for n, want := range []string{"", "good 0", "good 1"} {
		if err := f.Replace(text(fmt.Sprint("good ", n))); err != nil {
			t.Fatal(err)
		}
		if newest, older := content(t, f.Path), content(t, f.Older()); newest != fmt.Sprint("good ", n) || older != want {
			t.Errorf("after %d: %q and %q, want %q before it", n, newest, older, want)
		}
	}
	if got := f.names(t); got != "name name.1" {
		t.Errorf("in the directory: %s", got)
	}
	info, err := os.Stat(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && filepath.Separator == '/' {
		t.Errorf("mode %v: others may read it", mode)
	}
}

// TestReplaceThatFails: each step in turn; the newest generation stays readable and
// nothing is left behind.
func TestReplaceThatFails(t *testing.T) {
	broken := errors.New("no space left on device")
	for _, c := range []struct {
		name  string
		spoil func(f *File) error
		write func(io.Writer) error
		names string
	}{
		{"opening", func(f *File) error { return os.Mkdir(fmt.Sprintf("%s.%d.tmp", f.Path, os.Getpid()), 0o700) }, text("new"), "name"},
		{"writing", nil, func(w io.Writer) error { io.WriteString(w, "ne"); return broken }, "name"},
		{"keeping the one before", func(f *File) error { return os.MkdirAll(filepath.Join(f.Older(), "in the way"), 0o700) }, text("new"), "name name.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFile(t)
			if err := f.Replace(text("good")); err != nil {
				t.Fatal(err)
			}
			if c.spoil != nil {
				if err := c.spoil(f); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Replace(c.write); err == nil {
				t.Error("no error")
			}
			if got := content(t, f.Path); got != "good" {
				t.Errorf("the newest generation holds %q, want good", got)
			}
			if got := f.names(t); got != c.names {
				t.Errorf("in the directory: %s, want %s", got, c.names)
			}
		})
	}
	f := newFile(t)
	f.Path = filepath.Join(f.Path, "none", "name")
	if err := f.Replace(text("new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such directory: %v", err)
	}
}

// TestLoad has every pair of generations that a crash or a disk can leave.
func TestLoad(t *testing.T) {
	const none, slow = "", "can't be read now"
	for _, c := range []struct {
		newest, older string
		loaded        string // of the two
		aside         string // the names that are set aside
		says          int    // files that the error names
	}{
		{"good 2", "good 1", "name", "", 0},
		{"good 2", none, "name", "", 0},
		{"good 2", "bad", "name", "", 0},
		{none, none, "", "", 0},
		{none, "good 1", "name.1", "", 0},
		{none, "bad", "", "name.1", 1},
		{"bad", "good 1", "name.1", "name", 1},
		{"bad", none, "", "name", 1},
		{"bad", "bad too", "", "name name.1", 2},
		{slow, "good 1", "name.1", "", 1},
		{slow, none, "", "", 1},
		{slow, "bad", "", "name.1", 2},
	} {
		t.Run(c.newest+"|"+c.older, func(t *testing.T) {
			f := newFile(t)
			before := map[string]string{"name": c.newest, "name.1": c.older}
			for name, s := range before {
				if s == none {
					continue
				}
				if err := os.WriteFile(filepath.Join(filepath.Dir(f.Path), name), []byte(s), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got string
			loaded, err := f.Load(read(&got))
			if c.loaded == "" && loaded != "" || c.loaded != "" && (filepath.Base(loaded) != c.loaded || got != before[c.loaded]) {
				t.Errorf("loaded %q, which holds %q; want %q", loaded, got, c.loaded)
			}
			if got := strings.Count(fmt.Sprint(err), f.Path+": ") + strings.Count(fmt.Sprint(err), f.Older()+": "); got != c.says || (err == nil) != (c.says == 0) {
				t.Errorf("the error names %d files, want %d: %v", got, c.says, err)
			}
			if errors.Is(err, errDamaged) != (c.aside != "") {
				t.Errorf("error %v", err)
			}
			for name, s := range before {
				path := filepath.Join(filepath.Dir(f.Path), name)
				aside := s != none && strings.Contains(" "+c.aside+" ", " "+name+" ")
				if aside && (content(t, path) != "" || content(t, path+".bad") != s) {
					t.Errorf("%s was not set aside", name)
				}
				if !aside && (content(t, path) != s || content(t, path+".bad") != "") {
					t.Errorf("%s was set aside", name)
				}
			}
		})
	}
}

// TestAfterASetAside: what replaces an unusable generation leaves the one that can
// be used.
func TestAfterASetAside(t *testing.T) {
	f := newFile(t)
	for path, s := range map[string]string{f.Path: "bad", f.Older(): "good 1"} {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got string
	if loaded, err := f.Load(read(&got)); loaded != f.Older() || !strings.Contains(fmt.Sprint(err), "set aside as "+f.Path+".bad") {
		t.Errorf("loaded %q, %v", loaded, err)
	}
	if err := f.Replace(text("good 2")); err != nil {
		t.Fatal(err)
	}
	if newest, older := content(t, f.Path), content(t, f.Older()); newest != "good 2" || older != "good 1" {
		t.Errorf("%q and %q, want good 2 and good 1", newest, older)
	}
}

func TestRemoveTemporaries(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[data]") // no pattern
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	old, young := time.Now().Add(-2*abandonedAfter), time.Now()
	files := []struct {
		name string
		at   time.Time
		goes bool
	}{
		{"state.123.tmp", old, true}, {"popups.9.tmp", old, true}, {".secret-12345", old, true},
		{"state.124.tmp", young, false}, {".secret-2", young, false},
		{"state", old, false}, {"state.1", old, false}, {"state.bad", old, false}, {"notes.tmp", old, false}, {".nfs0001", old, false},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, f.name), f.at, f.at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "directory.1.tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := RemoveTemporaries(dir, ".*-[0-9]*"); err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, struct {
		name string
		at   time.Time
		goes bool
	}{"directory.1.tmp", old, false}) {
		if _, err := os.Lstat(filepath.Join(dir, f.name)); (err != nil) != f.goes {
			t.Errorf("%s: gone is %v, want %v", f.name, err != nil, f.goes)
		}
	}
	if err := RemoveTemporaries(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such directory: %v", err)
	}
}
