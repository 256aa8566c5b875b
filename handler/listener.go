package handler

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/internal/netsock"
	"github.com/popupd/popupd/internal/retry"
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
	fresh     atomic.Int64  // accepted, and not read from yet
	leaving   chan struct{} // has one for each that is being sent away
	full      []byte        // the answer above the limit
	scraps    sync.Pool     // of *[maxHeaderSize]byte, for what is read and not looked at
	closeOnce sync.Once
	closing   chan struct{}
}

func newListener(ln net.Listener, s *Server) *listener {
	return &listener{
		Listener: ln, server: s, limits: s.limits, limit: int64(maxConnections()), full: s.rawAnswer(tooManyConnections),
		leaving: make(chan struct{}, maxLeaving), closing: make(chan struct{}),
		scraps: sync.Pool{New: func() any { return new([maxHeaderSize]byte) }},
	}
}

// Waits after a failed accept, the first and the longest.
const (
	minAcceptWait = 5 * time.Millisecond
	maxAcceptWait = time.Second
)

// sendAwayTime bounds the wait for a connection that is sent away: a new one has
// sent its request, and has room for an answer, or is not worth waiting for.
const sendAwayTime = time.Millisecond

// maxLeaving is how many may be sent away at once, so that a flood of those that
// send nothing does not keep Accept. They have descriptors, too.
const maxLeaving = 128

// maxFresh is how many connections are accepted before those that were are
// begun with. Accepting is quick, and would else keep what it has accepted
// waiting for up to 10 ms, when the scheduler takes its processor away.
const maxFresh = 32

// Accept returns the next connection. It is for one goroutine.
func (l *listener) Accept() (net.Conn, error) {
	pause := retry.Backoff{First: minAcceptWait, Most: maxAcceptWait}
	for warned := false; ; {
		c, err := l.Listener.Accept()
		if err == nil {
			if l.open.Add(1) > l.limit {
				l.sendAway(c)
				continue
			}
			if l.fresh.Add(1) > maxFresh {
				runtime.Gosched()
			}
			stamped, _ := c.(stamped)
			return &conn{Conn: c, stamped: stamped, listener: l}, nil
		}
		if !netsock.Exhausted(err) {
			return nil, err
		}
		l.server.metrics.acceptRetries.Inc()
		if !warned {
			warned = true
			l.server.log.Warn("cannot accept connections for now", "err", err)
		}
		_ = retry.Wait(context.Background(), pause.Next(), l.closing) // the context does not end
	}
}

// sendAway answers a connection and closes it, without Accept waiting for it.
// What has come of its request is read first: closing would else reset the
// connection, and the answer be lost.
func (l *listener) sendAway(c net.Conn) {
	l.open.Add(-1)
	l.server.metrics.errors[tooManyConnections].Inc()
	l.leaving <- struct{}{}
	go func() {
		defer func() { <-l.leaving }()
		b := l.scraps.Get().(*[maxHeaderSize]byte)
		if c.SetReadDeadline(time.Now().Add(sendAwayTime)) == nil {
			c.Read(b[:])
		}
		l.scraps.Put(b)
		if c.SetWriteDeadline(time.Now().Add(sendAwayTime)) == nil {
			c.Write(l.full)
		}
		c.Close()
	}()
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
	limit, ok := netsock.DescriptorLimit()
	if !ok {
		return most
	}
	n := int(min(limit, math.MaxInt32))
	return min(max(n-n/8-others, fewest), most)
}
