package doctor

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/tuning"
)

// asNobody looks at a data directory as a user without privileges. The kernel keeps
// the user of file access per thread, so this one is not used again.
func asNobody(t *testing.T, data string) (d tuning.Disk) {
	t.Helper()
	const nobody = 65534
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			_ = unix.Setfsuid(nobody)
			_ = unix.Setfsgid(nobody)
		}
		d = disk(cli.Doctor{Data: data})
	}()
	<-done
	return d
}

// TestAccess: a data directory that this user cannot use is told, with the path
// that is in the way.
func TestAccess(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string) (data string)
		want string // in the error; "" is none
	}{
		{"not there yet", func(t *testing.T, dir string) string { return filepath.Join(dir, "a", "b") }, ""},
		{"its own", func(t *testing.T, dir string) string { return dir }, ""},
		{"secrets that are read-only", func(t *testing.T, dir string) string { write(t, dir, "secret", 0o444); return dir }, ""},
		{"of another user", func(t *testing.T, dir string) string { return makeDir(t, dir, "data", 0) }, "data"},
		{"read-only", func(t *testing.T, dir string) string { return makeDir(t, dir, "data", 0o555) }, "data"},
		{"below what cannot be searched", func(t *testing.T, dir string) string { return filepath.Join(makeDir(t, dir, "above", 0), "data") }, "above"},
		{"to be made where nothing may be", func(t *testing.T, dir string) string { return filepath.Join(makeDir(t, dir, "above", 0o555), "data") }, "above"},
		{"a file", func(t *testing.T, dir string) string { write(t, dir, "data", 0o666); return filepath.Join(dir, "data") }, "not a directory"},
		{"with a journal of another user", func(t *testing.T, dir string) string { makeDir(t, dir, "journal", 0); return dir }, "journal"},
		{"with a secret of another user", func(t *testing.T, dir string) string { write(t, dir, "secret", 0); return dir }, "secret"},
		{"with a database that is read-only", func(t *testing.T, dir string) string { write(t, dir, "popupd.db", 0o444); return dir }, "popupd.db"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "doctor") // above t.TempDir only its owner gets through
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			d := asNobody(t, c.make(t, dir))
			if c.want == "" && d.AccessErr != nil || c.want != "" && (d.AccessErr == nil || !strings.Contains(d.AccessErr.Error(), c.want)) {
				t.Errorf("got %v, want %q", d.AccessErr, c.want)
			}
			report := tuning.Examine(tuning.Site{Host: tuning.NewHost(os.DirFS("/")), Disk: d})
			for _, f := range report.Findings {
				if f.Check == "data directory's access" && (f.Status == tuning.Critical) != (c.want != "") {
					t.Errorf("the report says %s", f.Status)
				}
			}
		})
	}
}

func makeDir(t *testing.T, dir, name string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.Mkdir(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, dir, name string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, nil, mode); err != nil {
		t.Fatal(err)
	}
}
