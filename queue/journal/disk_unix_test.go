//go:build unix

package journal

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPermissions(t *testing.T) {
	c := testConfig(filepath.Join(t.TempDir(), "a", "journal"))
	j := mustOpen(t, c, &disk{})
	for n := range 40 {
		mustAppend(t, j, testEvents(n, 1))
	}
	filepath.WalkDir(c.Dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got&0o077 != 0 {
			t.Errorf("%s: %v is readable by others", path, got)
		}
		return nil
	})
}
