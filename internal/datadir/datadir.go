// Package datadir is the directory in which one popupd keeps what must outlive
// it: the journal, the last good popups, the dump of the users' state, the
// SQLite file and generated secrets. Everything in it is 0600 or 0700.
// What the files contain belongs to the packages that write them.
package datadir

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/popupd/popupd/internal/durable"
)

// Format is the version of the directory's layout that this package writes.
const Format = 1

// ErrNewer is returned for a directory that a newer popupd has written.
var ErrNewer = errors.New("written by a newer version of popupd")

// Dir is an opened data directory.
type Dir struct{ path string }

// Open makes the directory if it is not there, and checks that it can be
// written and that its layout is known. A directory of a newer layout is
// [ErrNewer] and left as it is.
func Open(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	d := &Dir{path}
	text, err := d.readOrCreate("format", func() []byte { return []byte(strconv.Itoa(Format)) })
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	format, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: file format says %q, not a number", path, text)
	}
	if format > Format {
		return nil, fmt.Errorf("data directory %s: format %d: %w, which knows up to %d", path, format, ErrNewer, Format)
	}
	probe, err := os.CreateTemp(path, ".writable-*")
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	// What writers that were killed have left: files of readOrCreate and probes too.
	if err := durable.RemoveTemporaries(path, ".*-[0-9]*"); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return d, nil
}

// Path returns the absolute path of a file in the directory.
func (d *Dir) Path(name string) string { return filepath.Join(d.path, name) }

// Secret returns the secret of this name, 64 hex digits, which is made on first use.
func (d *Dir) Secret(name string) (string, error) {
	text, err := d.readOrCreate(name, func() []byte {
		key := make([]byte, 32)
		rand.Read(key) // never fails: crypto/rand
		return hex.AppendEncode(nil, key)
	})
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", name, err)
	}
	if key, err := hex.DecodeString(text); err != nil || len(key) != 32 {
		return "", fmt.Errorf("secret %s: want 64 hex digits; remove the file to have a new one made", d.Path(name))
	}
	return text, nil
}

// readOrCreate returns a small file's trimmed text. Two servers that start at
// once on one directory agree on what it says, and a crash leaves no half of
// it: the file is written aside and linked into place, which only one can do.
func (d *Dir) readOrCreate(name string, content func() []byte) (string, error) {
	path := d.Path(name)
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return strings.TrimSpace(string(text)), err
	}
	tmp, err := os.CreateTemp(d.path, "."+name+"-*") // 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(append(content(), '\n')); err != nil {
		tmp.Close()
		return "", err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return "", err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	text, err = os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}
