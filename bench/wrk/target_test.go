//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func newBench(t *testing.T) *bench {
	t.Helper()
	if testing.Short() {
		t.Skip("starts servers")
	}
	if err := testbed.Need("taskset", "util-linux"); err != nil {
		t.Skip(err)
	}
	r, err := testbed.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	headers := [][2]string{{"Cache-Control", "private, no-cache"}, {"Popup-Next-Poll", "45"}}
	return &bench{
		Testbed: r, connections: 4, duration: time.Second, noise: 1, extra: make(map[string][]string),
		sample: sample{
			nothing:  answer{Path: pollPath, Status: http.StatusNoContent, Headers: headers},
			served:   answer{Path: servedPath, Status: http.StatusOK, Headers: append(headers, [2]string{"Content-Type", "application/json"}), Body: `{"popup":{"id":1}}`},
			recorded: answer{Path: actionsPath, Status: http.StatusAccepted, Headers: headers},
			action:   `{"token":"v1.0123456789012345678901234567890","action":"click"}`,
		},
	}
}

func TestRivalsRepeatTheAnswers(t *testing.T) {
	b := newBench(t)
	extra := map[string]int{"bare": 0, "nethttp": 0, "nginx": 2}
	for _, r := range rivals {
		if r.name == "nginx" && testbed.Need("nginx", "nginx") != nil {
			t.Log(testbed.Need("nginx", "nginx"))
			continue
		}
		for _, s := range scenarios {
			c, err := b.start(t.Context(), r.name, s, modes[0]) // which checks the answers
			if err != nil {
				t.Fatalf("%s, %s: %v", r.name, s.name, err)
			}
			if got := b.extra[r.name]; len(got) != extra[r.name] {
				t.Errorf("%s, %s: further header fields: %q", r.name, s.name, got)
			}
			wrong := b.sample
			wrong.nothing.Headers = [][2]string{{"Cache-Control", "max-age=1"}}
			if _, err := wrong.check(t.Context(), c.address, wrong.of(scenarios[0])); err == nil {
				t.Errorf("%s, %s: answers another header than wanted, and that passes", r.name, s.name)
			}
			c.Kill()
		}
	}
}

// recorder is a server that answers 204 and remembers what it was asked.
type recorder struct {
	mu    sync.Mutex
	asked []string // request line, and body of POST
}

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		status := "204 No Content"
		if req.URL.Path == "/no-action-is-left" {
			status = "404 Not Found\r\nContent-Length: 0"
		}
		if req.Close {
			status += "\r\nConnection: close"
		}
		r.mu.Lock()
		r.asked = append(r.asked, strings.TrimSpace(req.Method+" "+req.RequestURI+" "+string(body)))
		r.mu.Unlock()
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", status); err != nil || req.Close {
			return
		}
	}
}

// listen returns a target that is the recorder; its process is another.
func (r *recorder) listen(t *testing.T, b *bench) *target {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	p, err := b.Start(testbed.Program{Name: "sleep", Args: []string{"sleep", "60"}})
	if err != nil {
		t.Fatal(err)
	}
	return &target{Process: p, address: ln.Addr().String(), served: servedPath, users: 7}
}

func TestRequestsOfAScenario(t *testing.T) {
	b := newBench(t)
	if err := testbed.Need("wrk", "wrk"); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		s    scenario
		m    mode
		runs int // each continues where the one before ended
	}{{scenarios[0], modes[0], 1}, {scenarios[1], modes[0], 1}, {scenarios[2], modes[0], 1}, {scenarios[3], modes[0], 2}, {scenarios[3], modes[1], 2}} {
		r := new(recorder)
		target := r.listen(t, b)
		var err error
		if target.actions, err = b.sameActions(c.s.actionsFor(c.m, b.connections, b.duration)); err != nil {
			t.Fatal(err)
		}
		for range c.runs {
			if _, err := b.wrk(t.Context(), target, c.s, c.m, b.duration); err != nil {
				t.Fatalf("%s, %s: %v", c.s.name, c.m.title, err)
			}
		}
		r.verify(t, c.s)
	}
}

// verify checks what was asked for against the shares of a scenario.
func (r *recorder) verify(t *testing.T, s scenario) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	kinds, seen, repeats := make(map[string]int), make(map[string]bool), 0
	for _, a := range r.asked {
		kind := "served"
		switch {
		case strings.HasPrefix(a, "GET /v1/poll?uid=seen-0000"):
			kind = "nothing"
		case strings.HasPrefix(a, `POST /v1/actions {"token":"v1.`):
			kind = "actions"
		case !strings.HasPrefix(a, "GET /v1/show?uid=user-0"):
			t.Fatalf("%s: asked %s", s.name, a)
		}
		if kind != "nothing" && seen[a] {
			repeats++
		}
		seen[a] = true
		kinds[kind]++
	}
	if repeats > 0 {
		t.Errorf("%s: %d requests repeat one", s.name, repeats)
	}
	for kind, share := range map[string]int{"nothing": s.nothing, "served": s.served, "actions": s.actions} {
		if got, want := kinds[kind], len(r.asked)*share/100; got < want-100 || got > want+100 {
			t.Errorf("%s: %d of %d are %s, want %d", s.name, got, len(r.asked), kind, want)
		}
	}
}

func TestRunsOutOfActions(t *testing.T) {
	b := newBench(t)
	if err := testbed.Need("wrk", "wrk"); err != nil {
		t.Skip(err)
	}
	r := new(recorder)
	c := r.listen(t, b)
	c.popupd = new(ours) // of which each action counts once
	var err error
	if c.actions, err = b.sameActions(10); err != nil {
		t.Fatal(err)
	}
	_, err = b.wrk(t.Context(), c, scenarios[2], modes[0], b.duration)
	if err == nil || !strings.Contains(err.Error(), "Non-2xx or 3xx responses") {
		t.Errorf("got %v", err)
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // and never answer
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithCancel(t.Context())
	err = ask(ctx, ln.Addr().String(), 1, func(int) string { cancel(); return "GET / HTTP/1.1\r\n\r\n" }, func(int, *http.Response, []byte) error {
		return errors.New("an answer")
	})
	if err == nil {
		t.Error("no error")
	}
}
