package datadir

import (
	"os"
	"testing"
)

func TestAddresses(t *testing.T) {
	path := t.TempDir()
	open := func(path string) *Addresses {
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
	one, two, three, elsewhere := open(path), open(path), open(path), open(t.TempDir())
	at := func(a *Addresses, address string, want bool) {
		t.Helper()
		if got := a.At(address); got != want {
			t.Errorf("somebody else is at %s: %v, want %v", address, got, want)
		}
	}
	const here, other = "127.0.0.1:8080", "127.0.0.1:8081"
	at(two, here, false)
	for _, a := range []*Addresses{one, two} {
		if err := a.Join(here); err != nil {
			t.Fatal(err)
		}
	}
	at(two, here, true)
	at(three, here, true)
	at(three, other, false)
	at(elsewhere, here, false)
	one.Close()
	at(two, here, false) // that is itself
	at(three, here, true)
	two.Close()
	at(three, here, false)
	if info, err := os.Stat(path + "/addresses"); err != nil || info.Mode() != 0o600 || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
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
