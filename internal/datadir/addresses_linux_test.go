package datadir

import (
	"os"
	"testing"
)

// openAddresses is what another process does that is started on a directory.
func openAddresses(t *testing.T, path string) *Addresses {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.Addresses()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestAddresses(t *testing.T) {
	path := t.TempDir()
	one, two, three, elsewhere := openAddresses(t, path), openAddresses(t, path), openAddresses(t, path), openAddresses(t, t.TempDir())
	at := func(a *Addresses, address string, want bool) {
		t.Helper()
		if got := a.At(address); got != want {
			t.Errorf("somebody else is at %s: %v, want %v", address, got, want)
		}
	}
	join := func(a *Addresses, address string, want bool) {
		t.Helper()
		if got, err := a.Join(address); got != want || err != nil {
			t.Errorf("joins at %s: %v, %v; want %v", address, got, err, want)
		}
	}
	const here, other = "127.0.0.1:8080", "127.0.0.1:8081"
	at(two, here, false)
	join(one, here, true)
	at(one, here, false) // that is itself
	join(two, here, true)
	at(one, here, true)
	at(two, here, true)
	at(three, here, true)
	at(three, other, false)
	at(elsewhere, here, false)
	join(three, here, false)
	join(three, other, true)
	join(two, here, true) // it has
	one.Close()
	at(two, here, false)
	join(three, here, true)
	at(two, here, true)
	two.Close()
	three.Close()
	at(openAddresses(t, path), here, false)
	if info, err := os.Stat(path + "/addresses"); err != nil || info.Mode() != 0o600 || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestOthers: each process knows whether there is another one, and the last to leave that
// there is none.
func TestOthers(t *testing.T) {
	path := t.TempDir()
	one := openAddresses(t, path)
	if one.Others() {
		t.Error("there are others before there is one")
	}
	two, elsewhere := openAddresses(t, path), openAddresses(t, t.TempDir())
	if !one.Others() || !two.Others() || elsewhere.Others() {
		t.Errorf("others: %v and %v, elsewhere %v", one.Others(), two.Others(), elsewhere.Others())
	}
	if !one.Leave() || two.Others() || two.Leave() {
		t.Error("the first to leave leaves nobody behind, or the last does")
	}
	three := openAddresses(t, path)
	if !one.Others() {
		t.Error("one that has just been started is not there")
	}
	three.Close() // as by kill -9
	if one.Others() {
		t.Error("one that has ended is there")
	}
}

func TestAddressesUnwritable(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.Path("addresses"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Addresses(); err == nil {
		t.Error("a directory was opened")
	}
}
