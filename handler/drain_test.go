package handler

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/popupd/popupd/internal/netsock"
)

// The check of a load balancer says whether to send polls, and nothing else.
func TestReadiness(t *testing.T) {
	ready := false
	f := newServer(t, func(c *Config) { c.Ready = func() bool { return ready } }, "").start()
	check := func(status int, body string) {
		t.Helper()
		r := f.do("GET", "/readyz", "")
		if r.status != status || body != "" && r.body != body || body == "" && r.code() != "not_ready" {
			t.Errorf("%d %s, want %d %s", r.status, r.body, status, body)
		}
	}
	check(503, "")
	ready = true
	check(200, `{"status":"ready"}`)
	f.Drain()
	check(503, "")
	f.counts(0, "popupd_http_errors_total", "code", "not_ready")
	if r := f.do("POST", "/readyz", "{}"); r.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.status)
	}
}

// Connections that are kept end with an answer, which says so, and not in the midst of
// a request: a client that is never told to stop would fail at the end.
func TestDrainEndsKeptConnections(t *testing.T) {
	f := newServer(t, nil, "")
	ln := fasthttputil.NewInmemoryListener()
	done := make(chan error, 1)
	go func() { done <- f.Serve(ln) }()
	const clients = 16
	var conns []*bufio.ReadWriter
	for range clients {
		c, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c)))
	}
	ask := func(c *bufio.ReadWriter) *http.Response {
		t.Helper()
		c.WriteString("GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n")
		c.Flush()
		res, err := http.ReadResponse(c.Reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		return res
	}
	for _, c := range conns {
		if res := ask(c); res.StatusCode/100 != 2 || res.Close {
			t.Fatalf("before: %d, close: %v", res.StatusCode, res.Close)
		}
	}
	f.Drain()
	for _, c := range conns {
		if res := ask(c); res.StatusCode/100 != 2 || !res.Close {
			t.Fatalf("while draining: %d, close: %v; want it served, and closed", res.StatusCode, res.Close)
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("after the last answer: %d, %v; want the end", n, err)
		}
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Who is connecting when the server stops is served: of the kernel's connections none is reset
// for want of a moment.
func TestShutdownServesWhoConnects(t *testing.T) {
	ln, err := netsock.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := ln.(netsock.Ignorer); !ok {
		t.Skip("this system can't keep others from connecting")
	}
	f := newServer(t, nil, "")
	f.limits.connect = time.Second // the machine may be busy
	done := make(chan error, 1)
	go func() { done <- f.Serve(ln) }()
	const clients = 50
	conns := make([]net.Conn, clients)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", ln.Addr().String()); err != nil { // and sends nothing yet
			t.Fatal(err)
		}
		defer conns[i].Close()
	}
	f.Drain()
	stopped := make(chan error, 1)
	go func() { stopped <- f.Shutdown(t.Context()) }()
	for _, c := range conns {
		io.WriteString(c, "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	for i, c := range conns {
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		io.Copy(io.Discard, res.Body)
		if res.StatusCode/100 != 2 || !res.Close {
			t.Fatalf("client %d: %d, close: %v", i, res.StatusCode, res.Close)
		}
	}
	for _, ended := range []chan error{stopped, done} {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
