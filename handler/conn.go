package handler

import (
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/internal/netsock"
)

// conn keeps the time limits of a connection. fasthttp sets a deadline three
// times a request, which costs 6 % of the throughput of a handler that does
// nothing; here they are set at most once a second, so a limit may come up to a
// second early.
type conn struct {
	net.Conn
	stamped  netsock.Stamped // the same, nil if it does not know when what it reads came in
	listener *listener
	closed   atomic.Bool
	begin    atomic.Bool // it has been read from, or closed
	linger   atomic.Bool // the peer is still sending what was refused

	// The goroutine that serves the connection owns these. Times are since the
	// server was made.
	age      time.Duration // of the request under way when its first bytes were read; 0: not known
	retryAt  time.Duration // when the Retry-After of the latest rejection has passed
	active   bool          // a request has begun to arrive
	timed    bool          // and its limit is set, for it did not come in one piece
	used     bool
	request  bool          // the read deadline is that of a request, not of an idle connection
	wrote    time.Duration // the latest write
	readSet  time.Duration // the deadlines
	writeSet time.Duration
}

// limits are the time limits of a connection. fasthttp has none by default.
type limits struct {
	read  time.Duration // from the first byte of a request to its last
	write time.Duration
	idle  time.Duration // between requests, at most
	early time.Duration // how early a limit may come

	leastIdle time.Duration // what idle shrinks to when connections run short

	// settle is for how long after a listener has begun no request counts as late: what came
	// while no process accepted connections comes first, and makes the next ones wait.
	settle time.Duration

	// connect is how long Shutdown waits for the first request of who is connecting.
	connect time.Duration
}

var defaultLimits = limits{
	read: 5 * time.Second, write: 5 * time.Second, idle: DefaultIdleTimeout, early: time.Second, leastIdle: MinIdleTimeout,
	settle: 2 * time.Second, connect: 20 * time.Millisecond,
}

// connState is told by fasthttp that a request begins or has been answered.
func connState(c net.Conn, state fasthttp.ConnState) {
	if c, ok := c.(*conn); ok {
		c.active = state == fasthttp.StateActive
		c.timed = false
	}
}

// Read reads under the limit of an idle connection before a request, else
// under that of the whole request, as set when it was found to be incomplete.
func (c *conn) Read(b []byte) (int, error) {
	l := &c.listener.limits
	begins, fresh := !c.active || !c.used, !c.used
	switch {
	case c.timed:
	case c.active || !c.used:
		// A new connection must begin as soon as a request must end.
		if !c.used {
			c.begun()
		}
		c.timed, c.used, c.request = c.active, true, true
		if err := c.Conn.SetReadDeadline(time.Now().Add(l.read)); err != nil {
			return 0, err
		}
	case c.request || c.wrote-c.readSet >= l.early:
		// An answer has just been written: that was now, as near as matters.
		c.request, c.readSet = false, c.wrote
		if err := c.Conn.SetReadDeadline(time.Now().Add(c.listener.idle())); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(b)
	if c.stamped != nil {
		if at := c.stamped.Arrived(); begins {
			c.arrived(at, fresh)
		}
	}
	return n, err
}

// arrived sets the age of a request that came in at a time in ns since the epoch, 0
// if it is not known.
func (c *conn) arrived(at int64, fresh bool) {
	c.age = 0
	s := c.listener.server
	if at == 0 || s.overload == nil {
		return
	}
	c.age = max(0, time.Duration(time.Now().UnixNano()-at)) // the clock may have been set
	now := time.Since(s.start)
	if !fresh {
		// It may have been sent while the one before was under way.
		c.age = min(c.age, now-c.wrote)
	}
	if now-c.listener.began < c.listener.limits.settle {
		c.age = 0
	}
	s.overload.waited(c.age, fresh)
}

// begun tells the listener that it may accept another one.
func (c *conn) begun() {
	if c.begin.CompareAndSwap(false, true) {
		c.listener.fresh.Add(-1)
	}
}

// Write writes under the limit of a write.
func (c *conn) Write(b []byte) (int, error) {
	l := &c.listener.limits
	c.wrote = time.Since(c.listener.server.start)
	if c.writeSet == 0 || c.wrote-c.writeSet >= l.early {
		c.writeSet = c.wrote
		if err := c.Conn.SetWriteDeadline(time.Now().Add(l.write)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// Bounds of the wait for a peer that is still sending what was refused.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 1 << 20
)

// Close closes the connection. With bytes of the peer unread that would reset
// it, and the peer would lose the answer that says what was wrong, so those
// are read first, within bounds.
func (c *conn) Close() error {
	if !c.closed.CompareAndSwap(false, true) {
		return net.ErrClosed
	}
	defer c.listener.open.Add(-1)
	c.begun()
	if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Load() && tcp.CloseWrite() == nil &&
		c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
