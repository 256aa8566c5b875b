package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Limits of what is read.
const (
	maxDocument  = 1 << 20  // bytes of one document: no popup has more
	maxDocuments = 10_000   // in one file
	maxFile      = 16 << 20 // bytes of one file
	maxBytes     = 64 << 20 // bytes of all files together
	maxFiles     = 20_000   // entries of all directories together
)

// ErrNoFiles means that a directory has no files that are read.
var ErrNoFiles = errors.New("has no .yaml, .yml or .json files")

// Read reads what path names: a file, a directory of them, or stdin for "-". Of a directory
// it takes the files whose names end in .yaml, .yml or .json, of its subdirectories too, in
// the order of their names, but for those that begin with a dot; ErrNoFiles if there are none.
// Links are followed that stay in the directory. Everything that is wrong in files comes back
// as [Problems].
func Read(name string, stdin io.Reader) (*Config, error) {
	r := newReader()
	if name == "-" {
		r.file("stdin", "stdin", stdin)
		return r.result()
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if err := r.directory(name, info); err != nil {
			return nil, err
		}
		return r.result()
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r.file(filepath.Base(name), name, f)
	return r.result()
}

// directory reads the files below a directory.
func (r *reader) directory(name string, info fs.FileInfo) error {
	root, err := os.OpenRoot(name)
	if err != nil {
		return err
	}
	defer root.Close()
	w := walk{reader: r, root: root, name: name}
	if w.entries(".", []fs.FileInfo{info}); w.found == 0 && len(r.problems) == 0 {
		return fmt.Errorf("%s: %w", name, ErrNoFiles)
	}
	return nil
}

// walk goes through a directory.
type walk struct {
	*reader
	root  *os.Root // what leads out of it cannot be opened
	name  string   // of root, as the caller knows it
	seen  int      // entries
	found int      // files that were read
}

// entries reads what is in a directory; around are this one and those that it is in.
func (w *walk) entries(dir string, around []fs.FileInfo) {
	entries, err := fs.ReadDir(w.root.FS(), dir)
	if err != nil {
		w.refuse(w.shown(dir), mark{}, "%v", reason(err))
		return
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if w.seen++; w.seen > maxFiles {
			return
		}
		if w.seen == maxFiles {
			w.refuse(w.name, mark{}, "has more than %d entries", maxFiles-1)
			return
		}
		w.entry(path.Join(dir, entry.Name()), entry, around)
	}
}

func (w *walk) entry(file string, entry fs.DirEntry, around []fs.FileInfo) {
	isFile := IsName(entry.Name())
	if !isFile && entry.Type().IsRegular() {
		return
	}
	info, err := w.root.Stat(filepath.FromSlash(file))
	switch {
	case err != nil && !isFile:
		// A link that leads nowhere and is not named as a file of ours.
	case err != nil:
		w.refuse(w.shown(file), mark{}, "%v", reason(err))
	case info.IsDir():
		for _, outer := range around {
			if os.SameFile(outer, info) {
				w.refuse(w.shown(file), mark{}, "is a link to a directory that it is in")
				return
			}
		}
		w.entries(file, append(around[:len(around):len(around)], info))
	case !isFile:
	case !info.Mode().IsRegular():
		w.refuse(w.shown(file), mark{}, "is not a file")
	default:
		w.open(file)
	}
}

func (w *walk) open(file string) {
	w.found++
	f, err := w.root.Open(filepath.FromSlash(file))
	if err != nil {
		w.refuse(w.shown(file), mark{}, "%v", reason(err))
		return
	}
	defer f.Close()
	w.file(file, w.shown(file), f)
}

func (w *walk) shown(file string) string { return filepath.Join(w.name, filepath.FromSlash(file)) }

// IsName reports whether a name is that of a file that is read.
func IsName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// reason is an error without the path, which stands before it anyway.
func reason(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	return err
}

// file reads the documents of one file.
func (r *reader) file(file, shown string, from io.Reader) {
	limit := min(maxFile, maxBytes-r.size)
	text, err := io.ReadAll(io.LimitReader(from, int64(limit)+1))
	r.size += len(text)
	switch {
	case err != nil:
		r.refuse(shown, mark{}, "%v", reason(err))
		return
	case len(text) > maxFile:
		r.refuse(shown, mark{}, "has more than %d MiB; divide it into several files", maxFile>>20)
		return
	case len(text) > limit:
		r.refuse(shown, mark{}, "with this file it is more than %d MiB in all", maxBytes>>20)
		return
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	refuse := func(m mark, format string, args ...any) {
		r.refuse(shown, m, format, args...)
		if len(r.unread) < maxKept {
			r.unread[at(shown, m)] = true
		}
	}
	if m, bad := firstInvalid(text); bad != "" {
		refuse(m, "%s", bad)
		return
	}
	read, before := readYAML, len(r.problems)
	if isJSON(file, text) {
		read = readJSON
	}
	documents := read(text, refuse)
	if len(documents) == 0 && len(r.problems) == before {
		refuse(mark{1, 1}, isEmpty)
	}
	for _, v := range documents {
		r.document(file, shown, v)
	}
}

// isJSON reports whether a file is JSON: by its name or, of one with another name, by how it
// begins.
func isJSON(file string, text []byte) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(text, space), []byte("{"))
}

// firstInvalid returns where a file is no text, and why; an empty why if it is one.
func firstInvalid(text []byte) (m mark, why string) {
	line, column := 1, 1
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		switch {
		case r == 0:
			return mark{line, column}, "is not a text file: it has a byte 0"
		case r == utf8.RuneError && size == 1:
			return mark{line, column}, fmt.Sprintf("is not UTF-8: it has a byte %#x", text[at])
		case r == '\n':
			line, column = line+1, 0
		}
		at += size
		column++
	}
	return mark{}, ""
}
