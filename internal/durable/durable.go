// Package durable replaces a file so that a whole one is there at any moment, also
// after a power cut, and reads the newest whole one. It keeps two generations:
//
//	NAME            the newest
//	NAME.1          the one before
//	NAME.PID.tmp    one that process PID is writing: two servers may share a directory
//	NAME.bad        one that can't be used, set aside for somebody to look at
//
// What survives a crash of [File.Replace]:
//
//	while NAME.PID.tmp is written       NAME and NAME.1 as they were; [RemoveTemporaries]
//	after NAME became NAME.1            the content before, as NAME.1 only
//	after NAME.PID.tmp became NAME      after a power cut either of the two above, until the
//	                                    directory is synced; then the new content
//
// Formats and their checksums belong to the callers, since files of earlier
// releases must stay readable: a caller's reader says whether a file is whole.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"time"
)

// File is a file with two generations. Its methods do not lock: calls for one
// path must not overlap in one process.
type File struct {
	Path string // of the newest generation

	// Unusable are the errors by which a reader says that a generation will never be
	// usable, so that it is set aside. After any other error, as of a disk that can't
	// be read now, the file stays for the next start.
	Unusable []error

	// Reached is called at each step of Replace; nil: nothing is.
	Reached func(Step)
}

// Step is how far [File.Replace] has come.
type Step int

const (
	Written Step = iota // the temporary file is complete and synced
	Kept                // what was the newest generation is the one before
	Renamed             // the temporary file has the name, and the directory is not synced
)

func (f *File) reached(s Step) {
	if f.Reached != nil {
		f.Reached(s)
	}
}

// Older returns the path of the generation before the newest.
func (f *File) Older() string { return f.Path + ".1" }

// Replace makes what write writes the newest generation, and the newest the one
// before. It returns once content and name are on disk. After an error the newest
// generation is what it was, or was renamed to [File.Older]. The writer is not
// buffered.
func (f *File) Replace(write func(io.Writer) error) (err error) {
	temporary := fmt.Sprintf("%s.%d.tmp", f.Path, os.Getpid())
	defer func() {
		if err != nil {
			os.Remove(temporary)
		}
	}()
	if err := writeSynced(temporary, write); err != nil {
		return err
	}
	f.reached(Written)
	if err := os.Rename(f.Path, f.Older()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.reached(Kept)
	if err := os.Rename(temporary, f.Path); err != nil {
		return err
	}
	f.reached(Renamed)
	return SyncDir(filepath.Dir(f.Path))
}

func writeSynced(name string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := write(f); err != nil {
		return err
	}
	return f.Sync()
}

// SyncDir makes the names in a directory durable. Windows has no such call; NTFS
// journals its names.
func SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Load calls read with the newest generation, and with the one before if there is
// no newest or read fails. It returns the path of the generation for which read
// returned nil, "" if there is none, and what is wrong with those for which it did
// not; a generation that does not exist is no error. Generations with an error of
// Unusable are renamed to NAME.bad, or the next ones would replace the one that can
// be used.
func (f *File) Load(read func(*os.File) error) (loaded string, err error) {
	var errs []error
	for _, name := range []string{f.Path, f.Older()} {
		err := readFile(name, read)
		if err == nil {
			return name, errors.Join(errs...)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s: %w", name, f.setAside(name, err)))
		}
	}
	return "", errors.Join(errs...)
}

// readFile closes the file before it returns: Windows renames none that is open.
func readFile(name string, read func(*os.File) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return read(f)
}

// setAside renames a generation if why says that it is unusable, and says so in
// the error.
func (f *File) setAside(name string, why error) error {
	for _, unusable := range f.Unusable {
		if !errors.Is(why, unusable) {
			continue
		}
		bad := name + ".bad"
		if err := os.Rename(name, bad); err != nil {
			return fmt.Errorf("%w; set aside: %w", why, err)
		}
		return fmt.Errorf("%w; set aside as %s", why, bad)
	}
	return why
}

// abandonedAfter is how old a file that is still being written must be for its
// writer to be taken for dead: another server may use the directory.
const abandonedAfter = time.Minute

// RemoveTemporaries removes what writers that were killed have left in a directory:
// NAME.PID.tmp, and files whose names match one of the patterns of [path.Match].
func RemoveTemporaries(dir string, patterns ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !matches(entry.Name(), append(patterns, "*.[0-9]*.tmp")) {
			continue
		}
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < abandonedAfter {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func matches(name string, patterns []string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return false
}
