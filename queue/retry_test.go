package queue

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
)

// TestTrouble: each cause is told once until all is well again, whatever stands around it.
func TestTrouble(t *testing.T) {
	reset := func(port int) error {
		return fmt.Errorf("push from %d: %w", port, &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: port}, Err: syscall.ECONNRESET})
	}
	refused := errors.Join(fmt.Errorf("flush: %w", io.EOF), fmt.Errorf("read progress: %w", errors.New("too many connections")))
	var tr trouble
	if tr.over() {
		t.Error("there was trouble before any")
	}
	for i, c := range []struct {
		err  error
		want bool
	}{
		{reset(1), true}, {reset(2), false}, {refused, true}, {refused, false}, {reset(3), false}, {io.EOF, true},
	} {
		if got := tr.news(c.err); got != c.want {
			t.Errorf("%d, %v: news %v, want %v", i, c.err, got, c.want)
		}
	}
	for i := range 100 {
		if tr.news(fmt.Errorf("cause %d", i)) && i >= mostCauses {
			t.Fatalf("cause %d is still news", i)
		}
	}
	if !tr.over() || tr.over() {
		t.Error("the trouble is not over once")
	}
	if !tr.news(reset(4)) {
		t.Error("after it was over, what is known is no news")
	}
}
