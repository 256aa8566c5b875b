package server

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/popupd/popupd/internal/cli"
)

// The key of the users' state is made for one data directory, and stays: without
// it, whoever knows popupd could aim user ids at one spot of the table.
func TestStateKey(t *testing.T) {
	one, other := cli.Serve{Data: t.TempDir(), Secret: "x"}, cli.Serve{Data: t.TempDir(), Secret: "x"}
	key := func(c cli.Serve) [16]byte {
		t.Helper()
		_, k, err := openData(c)
		if err != nil {
			t.Fatal(err)
		}
		return k.state
	}
	first := key(one)
	if first == [16]byte{} || first != key(one) {
		t.Errorf("key %x, then %x: want the same, and not zero", first, key(one))
	}
	if first == key(other) {
		t.Errorf("two directories have the key %x", first)
	}
	if err := os.WriteFile(filepath.Join(one.Data, "state-key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openData(one); err == nil {
		t.Error("a key that was emptied is taken")
	}
}
