package tuning

import (
	"io"
	"net"
	"testing"
	"time"
)

// Connections that are not accepted yet are counted.
func TestWaiting(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	const n = 3
	for range n {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "x") // it does not count before
	}
	waiting := func(want int) {
		t.Helper()
		got := -1
		for end := time.Now().Add(5 * time.Second); got != want && time.Now().Before(end); time.Sleep(time.Millisecond) {
			if got, err = ln.Waiting(); err != nil {
				t.Fatal(err)
			}
		}
		if got != want {
			t.Fatalf("%d connections wait, want %d", got, want)
		}
	}
	waiting(n)
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	waiting(n - 1)
	ln.Close()
	if got, err := ln.Waiting(); err == nil {
		t.Errorf("%d connections wait at a closed listener", got)
	}
}
