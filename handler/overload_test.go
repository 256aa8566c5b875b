package handler

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func (s *shedding) percent() int {
	return int(math.Round(100 * float64(s.share.Load()) / math.MaxUint32))
}

func TestShedding(t *testing.T) {
	const target = 5 * time.Millisecond
	var s shedding
	for _, c := range []struct {
		name     string
		at, wait time.Duration
		want     int // percent
	}{
		{"a queue", 1000 * time.Millisecond, 50 * time.Millisecond, 0},
		{"is none if it goes away", 1050 * time.Millisecond, 5 * time.Millisecond, 0},
		{"another", 1060 * time.Millisecond, 50 * time.Millisecond, 0},
		{"that stays", 1110 * time.Millisecond, 50 * time.Millisecond, 0},
		{"for 100 ms", 1160 * time.Millisecond, 50 * time.Millisecond, 90},
		{"shorter", 1170 * time.Millisecond, 10 * time.Millisecond, 50},
		{"short", 1180 * time.Millisecond, 5 * time.Millisecond, 25},
		{"and shorter", 1181 * time.Millisecond, 0, 12},
		{"back again", 1200 * time.Millisecond, 20 * time.Millisecond, 12},
		{"for as long as the target", 1205 * time.Millisecond, 20 * time.Millisecond, 75},
		{"gone", 1250 * time.Millisecond, time.Millisecond, 37},
		{"forgotten after a second", 2300 * time.Millisecond, 20 * time.Millisecond, 37},
		{"so it must stand anew", 2399 * time.Millisecond, 20 * time.Millisecond, 37},
		{"as at first", 2400 * time.Millisecond, 20 * time.Millisecond, 75},
	} {
		s.note(c.at, c.wait, target)
		if got := s.percent(); got != c.want {
			t.Errorf("%s, %v at %v: %d %% are sent away, want %d %%", c.name, c.wait, c.at, got, c.want)
		}
	}
	for range 32 {
		s.note(3*time.Second, 0, target)
	}
	if got := s.share.Load(); got != 0 {
		t.Errorf("without a queue a share of %d is still sent away", got)
	}
}

func TestSheds(t *testing.T) {
	var s shedding
	for _, share := range []float64{0, 0.5, 1} {
		s.share.Store(uint32(share * math.MaxUint32))
		const n = 10000
		got := 0
		for range n {
			if s.sheds() {
				got++
			}
		}
		if math.Abs(float64(got)-share*n) > 300 { // six deviations
			t.Errorf("of %d %d are sent away, want about %.0f", n, got, share*n)
		}
	}
}

// What is too many gets 503, is told when to come back, and leaves.
func TestOverloadedAnswers(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Hour }, "").start()
	shown := f.sees("u", "p1")
	f.overload.close() // it would find that there is no overload
	f.overload.requests.share.Store(math.MaxUint32)
	var all [5]bool
	for range 100 {
		r := f.do("GET", "/v1/poll?uid=v", "")
		after, _ := strconv.Atoi(r.header.Get("Retry-After"))
		if r.status != http.StatusServiceUnavailable || r.code() != "overloaded" || after < 1 || after > 4 {
			t.Fatalf("poll: %+v", r)
		}
		all[after] = true
	}
	if all != [5]bool{false, true, true, true, true} {
		t.Errorf("Retry-After is %v, want each of 1 to 4", all)
	}
	if r := f.act("click", shown.Token); r.status != http.StatusServiceUnavailable || r.code() != "overloaded" {
		t.Errorf("action: %+v", r)
	}
	f.counts(100, "popupd_decisions_total", "outcome", "shed")
	f.counts(101, "popupd_http_errors_total", "code", "overloaded")
	f.journaled("u impression 1")
	got := f.raw("GET /v1/poll?uid=v HTTP/1.1\r\nHost: a\r\n\r\n") // returns at the end of the connection
	if r := parseReply(t, got); r.status != http.StatusServiceUnavailable || r.header.Get("Connection") != "close" {
		t.Errorf("%s", got)
	}
	f.overload.requests.share.Store(0)
	f.sees("v", "p1")

	f.overload.conns.share.Store(math.MaxUint32)
	c, err := f.ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all503, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if r := parseReply(t, string(all503)); r.code() != "overloaded" || r.header.Get("Retry-After") == "" || r.header.Get("Connection") != "close" {
		t.Errorf("a new connection: %s", all503)
	}
	f.overload.conns.share.Store(0)
}

// More clients than can be served within the target are sent away, without a
// clock or a count in a request, and soon after they have gone nobody is.
func TestOverload(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Millisecond }, everyTime)
	address := f.serveTCP()
	f.events.hook = func() { // makes a poll dear
		for begin := time.Now(); time.Since(begin) < 200*time.Microsecond; {
		}
	}
	var served, shed atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 100 {
		clients.Go(func() {
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			client := http.Client{Transport: transport}
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := client.Get(fmt.Sprintf("http://%s/v1/poll?uid=u%d", address, i))
				if err != nil {
					continue // the server has closed the connection that was used again
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				switch res.StatusCode {
				case http.StatusServiceUnavailable:
					shed.Add(1)
				case http.StatusOK, http.StatusNoContent:
					served.Add(1)
				default:
					t.Errorf("poll: %s", res.Status)
				}
			}
		})
	}
	eventually(t, "some are sent away and others served", func() bool { return shed.Load() >= 100 && served.Load() >= 100 })
	close(stop)
	clients.Wait()
	f.client.CloseIdleConnections()
	eventually(t, "none is sent away", func() bool {
		return f.overload.requests.share.Load() == 0 && f.overload.conns.share.Load() == 0
	})
	for i := range 10 {
		res, err := f.client.Get(fmt.Sprintf("http://%s/v1/poll?uid=after%d", address, i))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("after the overload: %s", res.Status)
		}
	}
}

// eventually waits until what is said is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so in 10 s: %s", what)
		}
	}
}
