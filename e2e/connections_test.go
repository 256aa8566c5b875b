//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Clients that hold connections without using them properly. While they are there
// everybody else is served, and when they have gone nothing is left of them.

const pollRequest = "GET /v1/poll?uid=hostile HTTP/1.1\r\nHost: a\r\n\r\n"

// descriptors returns how many the server has open.
func (s *server) descriptors() int {
	s.t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Pid()))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(open)
}

// resident returns the server's memory in bytes.
func (s *server) resident() int {
	s.t.Helper()
	v, err := s.resources()
	if err != nil {
		s.t.Fatal(err)
	}
	return v.memory
}

// dial opens n connections, which are closed when the test ends.
func (s *server) dial(n int) []net.Conn {
	s.t.Helper()
	conns := make([]net.Conn, 0, n)
	for range n {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.dataURL, "http://"))
		if err != nil {
			s.t.Fatalf("connection %d: %v", len(conns), err)
		}
		s.t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

// waitServed waits until a new client is served. It may have to try again: many
// connections at once are an overload until they have been rejected.
func (s *server) waitServed(user string) {
	s.t.Helper()
	fresh := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	eventually(s.t, 10*time.Second, func() error {
		resp, err := fresh.Get(s.dataURL + "/v1/poll?uid=" + user)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
			return fmt.Errorf("a client beside them: %s", resp.Status)
		}
		return nil
	})
}

// waitClosed waits until the server has no more descriptors than before, but for a few.
func (s *server) waitClosed(before int) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, func() error {
		if got := s.descriptors(); got > before+5 {
			return fmt.Errorf("%d descriptors are open, %d were before", got, before)
		}
		return nil
	})
}

// needDescriptors skips the test if this process, or a child, may not have n descriptors.
func needDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < n {
		t.Skipf("needs %d descriptors, the hard limit is %d: raise it with ulimit -Hn", n, limit.Max)
	}
}

// Requests that come byte by byte are ended 5 seconds after their first.
func TestSlowloris(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	needDescriptors(t, 4000)
	s := start(t)
	before := s.descriptors()
	conns := s.dial(2000)
	begin := time.Now()
	ends := make(chan int, len(conns))
	for _, c := range conns {
		go func() {
			c.SetReadDeadline(time.Now().Add(30 * time.Second))
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil { // it wrote after the end, and has got a reset
				ends <- 0
				return
			}
			resp.Body.Close()
			ends <- resp.StatusCode
		}()
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	statuses, ended := map[int]int{}, 0
	for i := 0; ended < len(conns); i++ {
		select {
		case status := <-ends:
			statuses[status]++
			ended++
			continue
		case <-tick.C:
		}
		if i/len(pollRequest) == 0 { // one byte more to each
			for _, c := range conns {
				c.Write([]byte{pollRequest[i%len(pollRequest)] | 0x40 | 1}) // never a line end
			}
		}
		if i%25 == 0 {
			s.waitServed("beside")
		}
		if time.Since(begin) > 25*time.Second {
			t.Fatalf("of 2000 trickling connections %v have ended, want all within 5 s of their first byte", statuses)
		}
	}
	// Some may be rejected as an overload when they come.
	if got := statuses[408] + statuses[503]; got < 1900 || statuses[408] < 200 {
		t.Errorf("answers %v, want 408 to nearly all", statuses)
	}
	s.waitClosed(before)
}

// Clients that ask and ask, and never read.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	s := start(t)
	before := s.descriptors()
	conns := s.dial(50)
	ended := make(chan error, len(conns))
	garbage := []byte(strings.Repeat("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 100))
	for _, c := range conns {
		c.(*net.TCPConn).SetReadBuffer(1)
		go func() {
			c.SetWriteDeadline(time.Now().Add(40 * time.Second))
			for {
				if _, err := c.Write(garbage); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for n := 0; n < len(conns); {
		select {
		case err := <-ended:
			if n++; os.IsTimeout(err) {
				t.Fatal("a client that never reads is served for more than 40 s")
			}
		case <-tick.C:
			s.waitServed("beside")
		}
	}
	s.waitClosed(before)
}

// Clients that vanish in the middle of a request, or close one direction.
func TestHalfOpen(t *testing.T) {
	s := start(t)
	before := s.descriptors()
	for i, c := range s.dial(600) {
		tcp := c.(*net.TCPConn)
		switch i % 4 {
		case 0: // half of a request, then a reset
			io.WriteString(c, pollRequest[:20])
			tcp.SetLinger(0)
			c.Close()
		case 1: // half of a request, then the end of it
			io.WriteString(c, pollRequest[:20])
			tcp.CloseWrite()
		case 2: // a body that ends too soon
			io.WriteString(c, "POST /v1/actions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
			tcp.CloseWrite()
		case 3: // a whole request, whose answer is read after the end
			io.WriteString(c, pollRequest)
			tcp.CloseWrite()
			c.SetReadDeadline(time.Now().Add(20 * time.Second))
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			resp.Body.Close()
		}
	}
	s.waitServed("beside")
	s.waitClosed(before)
}

// 15,000 browsers that have asked once and stay connected.
func TestIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("opens 15,000 connections")
	}
	const n, most = 15_000, 24 << 10
	needDescriptors(t, 17_600) // of which popupd keeps an eighth and 256
	s := start(t)
	s.waitServed("first")
	before, memory := s.descriptors(), s.resident()
	answer := make([]byte, 4096)
	for i := range n {
		c := s.dial(1)[0]
		io.WriteString(c, pollRequest)
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if got, err := c.Read(answer); err != nil || !strings.HasPrefix(string(answer[:got]), "HTTP/1.1 20") {
			t.Fatalf("connection %d: %q, %v", i, answer[:got], err)
		}
	}
	each := (s.resident() - memory) / n
	t.Logf("%d idle connections: %d bytes each", n, each)
	if each > most {
		t.Errorf("an idle connection takes %d bytes, want at most %d", each, most)
	}
	if got := s.descriptors() - before; got < n-5 {
		t.Errorf("%d connections are open, want %d: the others were closed", got, n)
	}
	s.waitServed("beside")
}

// Out of descriptors: those that are connected are served, and when some have
// gone others are.
func TestOutOfDescriptors(t *testing.T) {
	s := start(t)
	const limit = 256
	before := s.descriptors()
	var old unix.Rlimit
	if err := unix.Prlimit(s.Pid(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}, &old); err != nil {
		t.Skipf("prlimit: %v", err)
	}
	conns := s.dial(400)
	for _, c := range conns {
		io.WriteString(c, pollRequest)
	}
	eventually(t, 10*time.Second, func() error {
		if !strings.Contains(s.Log(), "cannot accept connections for now") {
			return fmt.Errorf("the log does not say that connections cannot be accepted; %d descriptors are open", s.descriptors())
		}
		return nil
	})
	answered := 0
	for _, c := range conns {
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			resp.Body.Close()
			answered++
		}
		if answered > limit/2 {
			break
		}
	}
	if answered < limit/4 {
		t.Errorf("%d of those that are connected are answered, want at least %d", answered, limit/4)
	}
	for _, c := range conns {
		c.Close()
	}
	s.waitServed("after")
	s.waitClosed(before)
}
