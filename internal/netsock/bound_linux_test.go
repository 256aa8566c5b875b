package netsock

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// An address that is bound refuses connections until it is listened on, and is taken.
func TestBoundRefuses(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "localhost:0"} {
		b, err := Bind(t.Context(), address, nil)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		defer b.Close()
		if c, err := net.Dial("tcp", b.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("%s: dial before Listen: %v, %v; want refused", address, c, err)
		}
		ln, err := b.Listen()
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		defer ln.Close()
		if ln.Addr() != b.Addr() {
			t.Errorf("%s: listens on %v, is bound to %v", address, ln.Addr(), b.Addr())
		}
		if other, err := Bind(t.Context(), ln.Addr().String(), nil); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: bound again: %v, %v; want in use", address, other, err)
		}
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatalf("%s: dial after Listen: %v", address, err)
		}
		defer c.Close()
		io.WriteString(c, "x")
		accepted, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		if err := b.Close(); err != nil {
			t.Errorf("%s: close of what the listener has: %v", address, err)
		}
	}
}

// Of two that have bound an address, the second to listen is told.
func TestBoundTwice(t *testing.T) {
	a, err := Bind(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := Bind(t.Context(), a.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ln, err := a.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if ln, err := b.Listen(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("%v, %v; want in use", ln, err)
	}
}
