package testbed

import (
	"errors"
	"os"
	"path/filepath"
)

// dirPattern is how the directories of testbeds are called.
const dirPattern = "popupd-testbed-*"

// newOwnedDir makes a directory that is locked for as long as this program runs,
// or until unlock is called.
func newOwnedDir() (dir string, unlock func(), err error) {
	for {
		if dir, err = os.MkdirTemp("", dirPattern); err != nil {
			return "", nil, err
		}
		unlock, owned, err := lockDir(dir)
		if errors.Is(err, errors.ErrUnsupported) {
			return dir, func() {}, nil
		}
		if err != nil {
			os.RemoveAll(dir)
			return "", nil, err
		}
		if owned {
			return dir, unlock, nil
		}
		// Another program has found it before it was locked, and removes it.
	}
}

// removeAbandoned removes the directories of programs that were killed before
// they could do so. What cannot be removed, for it belongs to somebody else, is
// left alone.
func removeAbandoned() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPattern)) // the pattern is well-formed
	for _, dir := range dirs {
		if unlock, owned, err := lockDir(dir); err == nil && owned {
			os.RemoveAll(dir)
			unlock()
		}
	}
}
