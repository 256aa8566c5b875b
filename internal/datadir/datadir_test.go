package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestSecretIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	var wg sync.WaitGroup
	secrets := make([]string, 8)
	for i := range secrets {
		wg.Go(func() {
			d, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			if secrets[i], err = d.Secret("admin-token"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, s := range secrets {
		if s != secrets[0] || len(s) != 64 {
			t.Fatalf("secrets differ or are short: %q", secrets)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", e.Name(), got)
		}
	}
	if len(entries) != 2 {
		t.Errorf("%d files, want format and admin-token alone: %v", len(entries), entries)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("a file was taken for a directory")
	}

	newer := t.TempDir()
	if err := os.WriteFile(filepath.Join(newer, "format"), []byte("2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(newer); !errors.Is(err, ErrNewer) {
		t.Errorf("newer format: %v, want ErrNewer", err)
	}

	strange := t.TempDir()
	if err := os.WriteFile(filepath.Join(strange, "format"), []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(strange); err == nil {
		t.Error("a format that is no number was accepted")
	}
}

func TestDamagedSecret(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Path("secret"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Secret("secret"); err == nil {
		t.Error("a short secret was accepted")
	}
}

// TestLeftovers: what a killed writer has left goes, not what is being written
// nor anybody else's.
func TestLeftovers(t *testing.T) {
	path := t.TempDir()
	old, young := time.Now().Add(-2*time.Minute), time.Now()
	files := []struct {
		name string
		at   time.Time
		goes bool
	}{
		{"state.123.tmp", old, true}, {"popups.9.tmp", old, true}, {".secret-12345", old, true}, {".writable-1", old, true},
		{"state.124.tmp", young, false}, {".writable-2", young, false},
		{"state", old, false}, {"state.1", old, false}, {"state.bad", old, false}, {"notes.tmp", old, false}, {".nfs0001", old, false},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(path, f.name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(path, f.name), f.at, f.at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(path, f.name)); (err != nil) != f.goes {
			t.Errorf("%s: gone is %v, want %v", f.name, err != nil, f.goes)
		}
	}
}
