package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The key of the users' state is made for one data directory, and stays: without
// it, whoever knows popupd could aim user ids at one spot of the table.
func TestStateKey(t *testing.T) {
	one, other := config{data: t.TempDir(), secret: "x"}, config{data: t.TempDir(), secret: "x"}
	key := func(c config) [16]byte {
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
	if err := os.WriteFile(filepath.Join(one.data, "state-key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openData(one); err == nil {
		t.Error("a key that was emptied is taken")
	}
}

func TestShortKeys(t *testing.T) {
	const long = "0123456789abcdef"
	for _, c := range []struct{ secret, identity, admin, want string }{
		{"", "", "", ""},
		{long, long + "," + long, long, ""},
		{long + ",0123456789abcde", "", "", "-secret"},
		{long, "x", "", "-identity-secret"},
		{"x", "x", "x", "-secret -identity-secret -admin-token"},
	} {
		given := config{secret: c.secret, identitySecret: c.identity, adminToken: c.admin}
		if got := strings.Join(given.short(), " "); got != c.want {
			t.Errorf("%+v: short are %q, want %q", c, got, c.want)
		}
	}
}
