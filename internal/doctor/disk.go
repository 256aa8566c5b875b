package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/tuning"
)

// need is what a start does with a file or directory.
type need struct {
	name         string // in the data directory
	isDir, write bool
}

// needs are what a data directory holds. Files that are replaced as a whole are only
// read, and secrets may be read-only.
var needs = []need{
	{name: "format"}, {name: "state-key"}, {name: "admin-token"}, {name: "secret"}, {name: "popups"}, {name: "state"},
	{name: "popupd.db", write: true}, {name: "journal", isDir: true, write: true},
}

// disk looks at the data directory or, before there is one, at the place where
// it would be made.
func disk(c cli.Doctor) tuning.Disk {
	d := tuning.Disk{Dir: c.Data, JournalMax: c.JournalMax, StateMax: c.StateMax}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		d.Err, d.AccessErr = err, err
		return d
	}
	d.Dir, d.AccessErr = place(dir)
	d.Journal = d.Dir
	if journal, err := filepath.EvalSymlinks(filepath.Join(dir, "journal")); err == nil {
		d.Journal = journal
	}
	if d.AccessErr == nil {
		d.AccessErr = usable(d.Dir, need{isDir: true, write: true})
	}
	for _, n := range needs {
		if err := usable(filepath.Join(dir, n.name), n); d.AccessErr == nil && !errors.Is(err, fs.ErrNotExist) {
			d.AccessErr = err
		}
	}
	if d.Free, d.Err = freeBytes(d.Dir); d.Err != nil {
		return d
	}
	d.Used = used(filepath.Join(c.Data, "journal"))
	for _, name := range []string{"state", "state.1"} {
		d.Used += used(filepath.Join(c.Data, name))
	}
	return d
}

// place returns a path without symbolic links or, if it is not there, the nearest
// one above it that is. The error says why this user cannot see which that is.
func place(dir string) (string, error) {
	var refused error
	for ; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		switch {
		case err == nil:
			return real, refused
		case !errors.Is(err, fs.ErrNotExist) && refused == nil:
			refused = err
		}
		if dir == filepath.Dir(dir) {
			return dir, errors.Join(refused, err)
		}
	}
}

// usable returns why this user cannot do with a path what a start needs to.
func usable(path string, n need) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case n.isDir && !info.IsDir():
		return fmt.Errorf("%s is not a directory", path)
	case !n.isDir && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	}
	if err := access(path, n); err != nil {
		return &fs.PathError{Op: "access", Path: path, Err: err}
	}
	return nil
}

// used returns how many bytes there are in files below path, as far as they
// can be seen.
func used(path string) (bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}
