package handler

import (
	"bufio"
	"io"
	"net/http"
	"testing"

	"github.com/valyala/fasthttp/fasthttputil"
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
