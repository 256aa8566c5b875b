package testbed

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// newClient returns a client whose connections begin in a network namespace.
func newClient(netns string) *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	if netns != "" {
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialIn(ctx, netns, network, address)
		}
	}
	return &http.Client{Transport: transport}
}

// dialIn dials from within a network namespace. The thread that enters it ends
// with its goroutine, which never unlocks it; the socket stays in the namespace.
func dialIn(ctx context.Context, netns, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		f, err := os.Open("/var/run/netns/" + netns)
		if err != nil {
			done <- result{err: err}
			return
		}
		defer f.Close()
		if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{err: fmt.Errorf("enter the network namespace %s: %w", netns, err)}
			return
		}
		// A numeric address is dialled by this goroutine, hence by this thread.
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		done <- result{conn, err}
	}()
	got := <-done
	return got.conn, got.err
}
