package persist

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// A store that was restored from and closed has no file open any more.
func TestRestoreLeavesNoFileOpen(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Config{SQLite: filepath.Join(dir, "popupd.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Restore(t.Context(), startMS, 0, nil, false, func([]byte, uint32, popup.State) {}); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		if path, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(path, dir) {
			t.Errorf("%s is open", path)
		}
	}
}
