package handler

import (
	"context"
	"math"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/internal/netsock"
	"github.com/popupd/popupd/internal/retry"
)

// listener gives the connections of another listener their time limits, rejects
// those above the limit, and waits when the system is out of descriptors
// or buffers, for which fasthttp would stop serving.
type listener struct {
	net.Listener
	server    *Server
	limits    limits
	limit     int64
	began     time.Duration // since the server's start
	open      atomic.Int64
	fresh     atomic.Int64 // accepted, and not read from yet
	above     *rejecter
	closeOnce sync.Once
	closing   chan struct{}
}

func newListener(ln net.Listener, s *Server) *listener {
	return &listener{
		Listener: ln, server: s, limits: s.limits, limit: int64(maxConnections()), began: time.Since(s.start),
		above: newRejecter(s), closing: make(chan struct{}),
	}
}

// Waits after a failed accept, the first and the longest.
const (
	minAcceptWait = 5 * time.Millisecond
	maxAcceptWait = time.Second
)

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
				l.open.Add(-1)
				l.server.metrics.errors[tooManyConnections].Inc()
				l.above.reject(c)
				continue
			}
			if l.fresh.Add(1) > maxFresh {
				runtime.Gosched()
			}
			stamped, _ := c.(netsock.Stamped)
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

// Close stops Accept. It may be called more than once.
func (l *listener) Close() error {
	err := net.ErrClosed
	l.closeOnce.Do(func() {
		close(l.closing)
		err = l.Listener.Close()
	})
	return err
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
