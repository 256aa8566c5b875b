package handler

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// raw sends bytes on a new connection and returns all that comes back until it is closed.
func (f *fixture) raw(sent string) string {
	f.Helper()
	c, err := f.ln.Dial()
	if err != nil {
		f.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, sent)
	got, err := io.ReadAll(c)
	if err != nil {
		f.Fatal(err)
	}
	return string(got)
}

func parseReply(t *testing.T, raw string) reply {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	if res.Close { // which net/http takes out of the header
		res.Header.Set("Connection", "close")
	}
	return reply{res.StatusCode, res.Header, string(body)}
}

func TestBrokenRequests(t *testing.T) {
	f := newServer(t, nil, "").start()
	for _, c := range []struct {
		sent   string
		status int
		code   string
	}{
		{"\x16\x03\x01\r\n\r\n", 400, "bad_request"},
		{"GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nBroken header\r\n\r\n", 400, "bad_request"},
		{"GET /v1/poll?uid=\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request"},
		{"GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", maxHeaderSize) + "\r\n\r\n", 431, "headers_too_large"},
		{"GET /v1/poll?uid=" + strings.Repeat("u", maxHeaderSize) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431, "headers_too_large"},
		{"POST /v1/actions HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413, "body_too_large"},
		{"POST /v1/actions HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413, "body_too_large"},
		{"POST /v1/actions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad_request"},
		{"POST /v1/actions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + strings.Repeat("x", 0x20000), 413, "body_too_large"},
	} {
		r := parseReply(t, f.raw(c.sent))
		if r.status != c.status || r.code() != c.code {
			t.Errorf("%.60q: %d %s, want %d %s", c.sent, r.status, r.body, c.status, c.code)
		}
		wantHeader(t, r, map[string]string{
			"Connection": "close", "Content-Type": "application/problem+json", "Cache-Control": "private, no-cache", "Access-Control-Allow-Origin": "*",
		})
	}
}

func TestContentTypeMayBeAbsent(t *testing.T) {
	f := newServer(t, nil, "").start()
	body := fmt.Sprintf(`{"token":%q,"action":"click"}`, f.sees("u", "p1").Token)
	r := parseReply(t, f.raw(fmt.Sprintf("POST /v1/actions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)))
	if r.status != http.StatusAccepted {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestPipelinedRequests(t *testing.T) {
	f := newServer(t, nil, "").start()
	got := f.raw("GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	in := bufio.NewReader(strings.NewReader(got))
	for _, want := range []int{200, 204, 404} {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		if res.StatusCode != want {
			t.Errorf("%d, want %d", res.StatusCode, want)
		}
	}
}

// A client that is still sending a body that is too long gets the answer, over
// a real connection too.
func TestTooLargeOverTCP(t *testing.T) {
	f := newServer(t, nil, "")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Serve(ln) }()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const size = 300_000
	fmt.Fprintf(c, "POST /v1/actions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)
	if _, err := io.Copy(c, io.LimitReader(zeros{}, size)); err != nil {
		t.Fatalf("send the body: %v", err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	if r := parseReply(t, string(got)); r.status != 413 || r.code() != "body_too_large" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The cookies of a site come along with what its pages send.
func TestLargeCookies(t *testing.T) {
	f := newServer(t, nil, "")
	address := f.serveTCP()
	body := click(f, 0, "u")
	head := fmt.Sprintf("POST /v1/actions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nCookie: ", len(body))
	for cookies, want := range map[int]int{
		9 << 10: http.StatusAccepted, maxHeaderSize - len(head) - 4: http.StatusAccepted, maxHeaderSize: http.StatusRequestHeaderFieldsTooLarge,
	} {
		if r := overTCP(t, address, head+strings.Repeat("x", cookies)+"\r\n\r\n"+body); r.status != want {
			t.Errorf("%d bytes of cookies: %d %s, want %d", cookies, r.status, r.body, want)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestPanicIsAnswered(t *testing.T) {
	f := newServer(t, nil, "").start()
	f.events.hook = func() { panic("broken journal") }
	r := f.do("GET", "/v1/poll?uid=u", "")
	if r.status != http.StatusInternalServerError || r.code() != "internal_error" {
		t.Errorf("%d %s", r.status, r.body)
	}
	f.counts(1, "popupd_http_errors_total", "code", "internal_error")
	if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "broken journal") || !strings.Contains(log, "answerPoll") {
		t.Errorf("log = %s, want one line with the panic and the stack", log)
	}
	f.events.hook = nil
	f.sees("v", "p1")
}

// failing is a listener that fails with each of its errors, then works.
type failing struct {
	net.Listener
	errs []error
}

func (l *failing) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, err
	}
	return l.Listener.Accept()
}

func acceptError(errno syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
}

func TestAcceptOutOfDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newServer(t, nil)
		inner := fasthttputil.NewInmemoryListener()
		ln := newListener(&failing{inner, []error{
			acceptError(syscall.EMFILE), acceptError(syscall.ENFILE), acceptError(syscall.ENOBUFS), acceptError(syscall.ENOMEM),
		}}, f.Server)
		start := time.Now()
		go inner.Dial()
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := time.Since(start), (5+10+20+40)*time.Millisecond; got > want || got < want*3/4 {
			t.Errorf("waited %v, want %v or up to a quarter less", got, want)
		}
		f.counts(4, "popupd_accept_retries_total")
		if n := strings.Count(f.log.String(), "\n"); n != 1 {
			t.Errorf("%d lines in the log, want 1", n)
		}
		c.Close()
		ln.Close()

		// Other errors end it, and closing it ends a wait.
		broken := newListener(&failing{inner, []error{acceptError(syscall.EINVAL)}}, f.Server)
		if _, err := broken.Accept(); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("accept = %v, want EINVAL", err)
		}
		forever := newListener(&failing{inner, slicesRepeat(acceptError(syscall.EMFILE), 20)}, f.Server)
		go func() {
			time.Sleep(time.Millisecond)
			forever.Close()
		}()
		start = time.Now()
		if _, err := forever.Accept(); err == nil {
			t.Error("accept on a closed listener: no error")
		}
		if got := time.Since(start); got > 2*time.Millisecond {
			t.Errorf("closed after 1 ms, accept returned after %v", got)
		}
	})
}

func slicesRepeat(err error, n int) (out []error) {
	for range n {
		out = append(out, err)
	}
	return out
}

func TestShutdown(t *testing.T) {
	f := newServer(t, nil, "")
	ln := fasthttputil.NewInmemoryListener()
	done := make(chan error, 1)
	go func() { done <- f.Serve(ln) }()
	idle, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(idle, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")

	entered, leave := make(chan struct{}), make(chan struct{})
	f.events.hook = func() { close(entered); <-leave }
	busy, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(busy, "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n")
	<-entered

	stopped := make(chan error, 1)
	go func() { stopped <- f.Shutdown(context.Background()) }()
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	if got, err := io.ReadAll(idle); err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 404")) {
		t.Errorf("the idle connection: %q, %v, want the answer and the end", got, err)
	}
	select {
	case err := <-stopped:
		t.Errorf("shutdown returned %v in the middle of a request", err)
	default:
	}
	close(leave)
	if got, err := io.ReadAll(busy); err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 200")) {
		t.Errorf("the request under way: %q, %v, want the answer and the end", got, err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("shut down: %v", err)
	}
	if err := f.Serve(fasthttputil.NewInmemoryListener()); err != nil {
		t.Errorf("serve after shutdown: %v", err)
	}
}

func TestShutdownRunsOutOfTime(t *testing.T) {
	f := newServer(t, nil, "")
	ln := fasthttputil.NewInmemoryListener()
	done := make(chan error, 1)
	go func() { done <- f.Serve(ln) }()
	entered, leave := make(chan struct{}), make(chan struct{})
	f.events.hook = func() { close(entered); <-leave }
	c, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown = %v, want %v", err, context.Canceled)
	}
	f.events.refuse(errFull)
	close(leave)
	if got, err := io.ReadAll(c); err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 204")) {
		t.Errorf("%q, %v, want 204", got, err)
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}
