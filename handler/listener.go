package handler

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// listener gives the connections of another listener their time limits, sends
// away those above the limit, and waits when the system is out of descriptors
// or buffers, for which fasthttp would stop serving.
type listener struct {
	net.Listener
	server    *Server
	limits    limits
	limit     int64
	open      atomic.Int64
	full      []byte // the answer above the limit
	scrap     []byte // for what is read and not looked at; Accept's own
	closeOnce sync.Once
	closing   chan struct{}
}

func newListener(ln net.Listener, s *Server) *listener {
	return &listener{
		Listener: ln, server: s, limits: s.limits, limit: int64(maxConnections()), full: s.rawAnswer(tooManyConnections),
		scrap: make([]byte, maxHeaderSize), closing: make(chan struct{}),
	}
}

// Waits after a failed accept, which double from the first to the last.
const (
	minAcceptWait = 5 * time.Millisecond
	maxAcceptWait = time.Second
)

// sendAwayTime bounds the wait for a connection above the limit: a new one has
// sent its request, and has room for an answer, or is not worth waiting for.
const sendAwayTime = time.Millisecond

// Accept returns the next connection. It is for one goroutine.
func (l *listener) Accept() (net.Conn, error) {
	wait := minAcceptWait
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			if l.open.Add(1) > l.limit {
				l.sendAway(c)
				continue
			}
			return &conn{Conn: c, listener: l}, nil
		}
		if !exhausted(err) {
			return nil, err
		}
		l.server.metrics.acceptRetries.Inc()
		if wait == minAcceptWait {
			l.server.log.Warn("cannot accept connections for now", "error", err)
		}
		select {
		case <-time.After(wait):
		case <-l.closing:
		}
		wait = min(2*wait, maxAcceptWait)
	}
}

// sendAway answers a connection above the limit. What has come of its request
// is read first: closing would else reset the connection, and the answer be lost.
func (l *listener) sendAway(c net.Conn) {
	l.open.Add(-1)
	l.server.metrics.errors[tooManyConnections].Inc()
	if c.SetReadDeadline(time.Now().Add(sendAwayTime)) == nil {
		c.Read(l.scrap)
	}
	if c.SetWriteDeadline(time.Now().Add(sendAwayTime)) == nil {
		c.Write(l.full)
	}
	c.Close()
}

// Close stops Accept. It may be called more than once.
func (l *listener) Close() error {
	err := net.ErrClosed
	l.closeOnce.Do(func() {
		close(l.closing)
		err = l.Listener.Close()
	})
	return err
}

// exhausted reports whether an error of accept(2) passes by itself.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// rawAnswer returns a problem as the bytes on the wire.
func (s *Server) rawAnswer(p problem) []byte {
	a := s.answers.problems[p]
	status := problems[p].status
	b := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(a.body))
	for name, value := range a.header.All() {
		b = fmt.Appendf(b, "%s: %s\r\n", name, value)
	}
	return fmt.Appendf(b, "\r\n%s", a.body)
}

// maxConnections returns how many connections the limit on descriptors leaves
// room for, after what stores and files need.
func maxConnections() int {
	const most, fewest, others = 1 << 20, 64, 256
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return most
	}
	n := int(min(limit.Cur, math.MaxInt32))
	return min(max(n-n/8-others, fewest), most)
}
