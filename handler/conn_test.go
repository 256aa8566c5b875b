package handler

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// timedConn records its deadlines. Read and Write return at once.
type timedConn struct {
	net.Conn
	read, write []time.Duration // from when they were set
}

func (c *timedConn) SetReadDeadline(t time.Time) error {
	c.read = append(c.read, time.Until(t))
	return nil
}
func (c *timedConn) SetWriteDeadline(t time.Time) error {
	c.write = append(c.write, time.Until(t))
	return nil
}
func (c *timedConn) Read(b []byte) (int, error)  { return len(b), nil }
func (c *timedConn) Write(b []byte) (int, error) { return len(b), nil }

func TestConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := new(timedConn)
		limits := defaultLimits
		c := &conn{Conn: inner, listener: &listener{limits: limits, limit: 1, server: &Server{start: time.Now()}}}
		time.Sleep(time.Second) // a connection comes later than the server
		want := func(step string, read, write []time.Duration) {
			t.Helper()
			if fmt.Sprint(inner.read) != fmt.Sprint(read) || fmt.Sprint(inner.write) != fmt.Sprint(write) {
				t.Errorf("%s: read deadlines in %v, want %v; write %v, want %v", step, inner.read, read, inner.write, write)
			}
			inner.read, inner.write = nil, nil
		}
		read := func() { c.Read(make([]byte, 1)) }
		write := func() { c.Write(make([]byte, 1)) }
		type list = []time.Duration

		begin := func() { connState(c, fasthttp.StateActive) }
		end := func() { write(); connState(c, fasthttp.StateIdle) }

		read()
		want("a new connection", list{limits.read}, nil)
		begin()
		end()
		read()
		want("answered, idle", list{limits.idle}, list{limits.write})
		for range 100 {
			begin()
			end()
			read()
		}
		want("a hundred requests in the same second", nil, nil)
		time.Sleep(time.Second)
		begin()
		end()
		read()
		want("a request a second later", list{limits.idle}, list{limits.write})
		begin()
		read()
		want("a request that comes in pieces", list{limits.read}, nil)
		time.Sleep(3 * time.Second)
		read()
		want("has one limit for all of it", nil, nil)
		end()
		begin()
		read()
		want("the next one, which came in part with it, has its own", list{limits.read}, list{limits.write})
		end()
		read()
		want("idle again", list{limits.idle}, nil)
	})
}

// A request that does not arrive in time is answered with 408, an idle
// connection is closed without a word.
func TestTimeouts(t *testing.T) {
	const short, long = 50 * time.Millisecond, time.Hour
	const answered = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, c := range []struct {
		name   string
		limits limits
		sent   []string
		want   []int
	}{
		{"nothing sent", limits{read: short, idle: long}, nil, []int{408}},
		{"slow headers", limits{read: short, idle: long}, []string{"GET /x HTTP/1.1\r\n"}, []int{408}},
		{"slow body", limits{read: short, idle: long}, []string{"POST /v1/actions HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{"}, []int{408}},
		{"slow second request", limits{read: short, idle: long}, []string{answered, "GET /x"}, []int{404, 408}},
		{"idle", limits{read: long, idle: short}, []string{answered}, []int{404}},
	} {
		f := newServer(t, nil)
		c.limits.write, c.limits.early = long, long
		f.Server.limits = c.limits
		f.start()
		client, err := f.ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(client)
		for i := range max(len(c.sent), len(c.want)) {
			if i < len(c.sent) {
				io.WriteString(client, c.sent[i])
			}
			if i >= len(c.want) {
				break
			}
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%s: answer %d: %v", c.name, i, err)
			}
			io.Copy(io.Discard, res.Body)
			if res.StatusCode != c.want[i] {
				t.Errorf("%s: answer %d is %d, want %d", c.name, i, res.StatusCode, c.want[i])
			}
		}
		if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
			t.Errorf("%s: then %q, %v, want the end", c.name, rest, err)
		}
		client.Close()
	}
}

func TestIdleFor(t *testing.T) {
	l := limits{idle: 90 * time.Second, leastIdle: 5 * time.Second}
	for _, c := range []struct {
		open, limit int64
		want        time.Duration
	}{
		{1, 1000, 90 * time.Second}, {500, 1000, 90 * time.Second}, {600, 1000, 72 * time.Second}, {750, 1000, 45 * time.Second},
		{900, 1000, 18 * time.Second}, {990, 1000, 5 * time.Second}, {1000, 1000, 5 * time.Second}, {1003, 1000, 5 * time.Second}, {1, 1, 5 * time.Second},
	} {
		if got := l.idleFor(c.open, c.limit).Round(time.Millisecond); got != c.want {
			t.Errorf("%d of %d: %v, want %v", c.open, c.limit, got, c.want)
		}
	}
	l.idle = time.Second
	if got := l.idleFor(9, 10); got != time.Second {
		t.Errorf("a limit that is shorter than the least: %v, want it as it is", got)
	}
}

// A connection that becomes idle may be so for less, the more of them are open.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listener{limits: defaultLimits, limit: 10, server: &Server{start: time.Now()}}
		time.Sleep(time.Second)
		for i, want := range []time.Duration{90, 90, 90, 90, 90, 72, 54, 36, 18, 5} {
			l.open.Add(1)
			inner := new(timedConn)
			c := &conn{Conn: inner, listener: l}
			c.Read(make([]byte, 1))
			connState(c, fasthttp.StateActive)
			c.Write(make([]byte, 1))
			connState(c, fasthttp.StateIdle)
			c.Read(make([]byte, 1))
			if got := inner.read[len(inner.read)-1].Round(time.Millisecond); got != want*time.Second {
				t.Errorf("connection %d of %d may be idle for %v, want %v", i+1, l.limit, got, want*time.Second)
			}
		}
	})
}
