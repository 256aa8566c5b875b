package handler

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

func TestConnectionsAboveTheLimit(t *testing.T) {
	f := newServer(t, nil, "")
	f.ln = fasthttputil.NewInmemoryListener()
	l := newListener(f.ln, f.Server)
	l.limit = 2
	accepted := make(chan net.Conn, 3)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := f.ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := dial(), dial()
	first, second := <-accepted, <-accepted
	c := dial()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if r := parseReply(t, string(got)); r.status != 503 || r.code() != "too_many_connections" || r.header.Get("Retry-After") == "" || r.header.Get("Connection") != "close" {
		t.Errorf("the third connection: %+v", r)
	} else {
		wantNextPoll(t, r)
	}
	first.Close()
	first.Close() // counted once
	d := dial()
	third := <-accepted
	if n := l.open.Load(); n != 2 {
		t.Errorf("%d connections are open, want 2", n)
	}
	for _, c := range []net.Conn{a, b, c, d, second, third} {
		c.Close()
	}
	l.Close()
	<-accepted
	f.ln = nil
}

// A client above the limit whose request is there when it is rejected gets the
// answer, not a reset.
func TestRejectedOverTCP(t *testing.T) {
	f := newServer(t, nil, "")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newListener(ln, f.Server)
	l.limit = 0
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n")
	done := make(chan struct{})
	go func() {
		l.Accept()
		close(done)
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if r := parseReply(t, string(got)); r.status != 503 || r.code() != "too_many_connections" {
		t.Errorf("%d %s", r.status, r.body)
	}
	l.Close()
	<-done
}

// silent is a listener of connections whose clients neither send nor read.
type silent struct{ left int }

func (l *silent) Accept() (net.Conn, error) {
	if l.left == 0 {
		return nil, net.ErrClosed
	}
	l.left--
	c, _ := net.Pipe()
	return c, nil
}
func (*silent) Close() error   { return nil }
func (*silent) Addr() net.Addr { return nil }

// A flood of connections above the limit that say nothing keeps nobody from
// being accepted.
func TestSilentFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const flood = 10_000
		f := newServer(t, nil)
		l := newListener(&silent{flood}, f.Server)
		l.limit = 0
		start := time.Now()
		if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("%v, %v", c, err)
		}
		if got, most := time.Since(start), 200*time.Millisecond; got > most {
			t.Errorf("%d took %v, want at most %v", flood, got, most)
		}
		f.counts(flood, "popupd_http_errors_total", "code", "too_many_connections")
		synctest.Wait()
		time.Sleep(2 * rejectTime)
	})
}
