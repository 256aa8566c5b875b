package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func wantEvents(f *fixture, r *reader, when string, want ...string) {
	f.Helper()
	got := r.take()
	for i, event := range got {
		if name, _, _ := strings.Cut(event, " "); name == "system" || name == "findings" { // their data are checked elsewhere
			got[i] = name
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		f.Errorf("%s: events (-want +got):\n%s", when, d)
	}
}

// TestEvents: each stream is told what it asks for, when it comes and when it changes.
func TestEvents(t *testing.T) {
	inBubble(t, func(f *fixture) {
		page := f.open("", adminToken)
		wantEvents(f, page, "at once", `revision {"revision":1,"changed_ms_ago":0}`, `counts {"counted":0,"changed_ms_ago":0}`)
		if got := page.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("Content-Type %q", got)
		}
		f.hub.Changed() // news of what is known
		wantEvents(f, page, "nothing has changed")
		f.change(2)
		wantEvents(f, page, "a change", `revision {"revision":2,"changed_ms_ago":0}`)
		f.counted.Store(7)
		time.Sleep(lookEvery)
		wantEvents(f, page, "numbers have moved", `counts {"counted":7,"changed_ms_ago":0}`)

		time.Sleep(3500 * time.Millisecond)
		system := f.open("?system=1", adminToken)
		time.Sleep(time.Second)
		wantEvents(f, system, "another one", `revision {"revision":2,"changed_ms_ago":5500}`, `counts {"counted":7,"changed_ms_ago":3500}`, "system", "findings")
		wantEvents(f, page, "that other one")
		time.Sleep(lookEvery)
		wantEvents(f, system, "2 s later", "system")
		time.Sleep(keepAlive - lookEvery - time.Second)
		if events := system.take(); !slices.Contains(events, "comment") {
			t.Errorf("no comment after %v: %q", keepAlive, events)
		}
		wantEvents(f, page, "a quiet time", "comment")
		page.conn.Close()
		system.conn.Close()
	})
}

// TestTabsCostOneRead: however many streams there are, each thing is read once, and nothing
// while there are none.
func TestTabsCostOneRead(t *testing.T) {
	inBubble(t, func(f *fixture) {
		time.Sleep(time.Hour)
		if n := f.countedReads.Load() + f.systemReads.Load() + f.examiners.Load(); n != 0 {
			t.Fatalf("%d reads for nobody", n)
		}
		var tabs []*reader
		for range 50 {
			tabs = append(tabs, f.open("?system=1", adminToken))
		}
		reads := func() [3]int64 { return [3]int64{f.countedReads.Load(), f.systemReads.Load(), f.examiners.Load()} }
		before := reads()
		if before[1] > 2 {
			t.Errorf("%d reads of the system for 50 tabs", before[1])
		}
		const looks = 30
		time.Sleep(looks * lookEvery)
		synctest.Wait()
		after := reads()
		if d := cmp.Diff([3]int64{before[0] + looks, before[1] + looks, 1}, after); d != "" {
			t.Errorf("reads of numbers, system and findings (-want +got):\n%s", d)
		}
		for _, tab := range tabs {
			if got := tab.take(); len(got) < looks {
				t.Errorf("a tab got %d events", len(got))
			}
			tab.conn.Close()
		}
		time.Sleep(lookEvery)
		before = reads()
		time.Sleep(time.Hour)
		if d := cmp.Diff(before, reads()); d != "" {
			t.Errorf("reads after the last tab was closed (-before +after):\n%s", d)
		}
	})
}

// TestSlowReader: one that takes nothing holds one event of each kind, does not stop others,
// and is left after 10 s.
func TestSlowReader(t *testing.T) {
	inBubble(t, func(f *fixture) {
		stuck := f.request("GET", "/live?system=1", adminToken) // and its body is never read
		other := f.open("", adminToken)
		other.take()
		var held *stream
		f.hub.mu.Lock()
		for s := range f.hub.streams {
			if s.wantsSystem {
				held = s
			}
		}
		f.hub.mu.Unlock()
		for n := range int64(1000) {
			f.change(n + 2)
			synctest.Wait()
			f.hub.mu.Lock()
			bytes := 0
			for _, event := range held.waiting {
				bytes += len(event)
			}
			f.hub.mu.Unlock()
			if bytes > 2000 {
				t.Fatalf("%d bytes wait for a reader that is stuck", bytes)
			}
		}
		if got := other.take(); len(got) != 1000 || got[999] != `revision {"revision":1001,"changed_ms_ago":0}` {
			t.Errorf("the other got %d events", len(got))
		}
		streams := func() int {
			f.hub.mu.Lock()
			defer f.hub.mu.Unlock()
			return len(f.hub.streams)
		}
		time.Sleep(writeTimeout - time.Second)
		synctest.Wait()
		before := streams()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if after := streams(); before != 2 || after != 1 {
			t.Errorf("%d streams before %v, %d after it; want 2 and 1", before, writeTimeout, after)
		}
		stuck.conn.Close()
		other.conn.Close()
	})
}

// TestShutdown: streams end with the hub, so that the console need not wait for them, and
// no new ones begin.
func TestShutdown(t *testing.T) {
	inBubble(t, func(f *fixture) {
		tab := f.open("?system=1", adminToken)
		time.Sleep(time.Hour) // longer than any limit of the listener
		if tab.isEnded() {
			t.Fatal("the stream has ended by itself")
		}
		begin := time.Now()
		f.stop()
		if !tab.isEnded() {
			t.Error("the stream goes on")
		}
		late := f.request("GET", "/live", adminToken)
		if late.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a stream of a server that ends: %d", late.StatusCode)
		}
		late.conn.Close()
		if err := f.console.Shutdown(t.Context()); err != nil || time.Since(begin) > time.Second {
			t.Errorf("Shutdown: %v after %v", err, time.Since(begin))
		}
	})
}

// TestStreamNeedsToken: before it begins, and while it goes on.
func TestStreamNeedsToken(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for _, path := range []string{"GET /live", "GET /live?system=1", "HEAD /live", "POST /live/findings"} {
			method, path, _ := strings.Cut(path, " ")
			r := f.request(method, path, "wrong")
			if r.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s %s with a wrong token: %d", method, path, r.StatusCode)
			}
			r.conn.Close()
		}
		r := f.request("HEAD", "/live", adminToken)
		if r.StatusCode != http.StatusOK || len(f.hub.streams) != 0 {
			t.Errorf("HEAD /live: %d, %d streams", r.StatusCode, len(f.hub.streams))
		}
		r.conn.Close()

		short, long := f.open("", f.token(time.Minute)), f.open("", f.token(time.Hour))
		time.Sleep(time.Minute - time.Second)
		if short.isEnded() {
			t.Error("a stream ends before its token")
		}
		time.Sleep(keepAlive + time.Second)
		if !short.isEnded() || long.isEnded() {
			t.Errorf("after the token's end its stream has ended: %v; that of another: %v", short.isEnded(), long.isEnded())
		}
		short.conn.Close()
		long.conn.Close()
	})
}

// TestNothingAfterTheEnd: what happens after the end of a token is not told to who has it.
func TestNothingAfterTheEnd(t *testing.T) {
	inBubble(t, func(f *fixture) {
		short, long := f.open("", f.token(keepAlive+time.Second)), f.open("", f.token(time.Hour))
		time.Sleep(keepAlive + 2*time.Second)
		short.take()
		long.take()
		f.change(2)
		if got := short.take(); len(got) != 0 || !short.isEnded() {
			t.Errorf("after the token's end: %q, ended %v", got, short.isEnded())
		}
		wantEvents(f, long, "another one", `revision {"revision":2,"changed_ms_ago":0}`)
		short.conn.Close()
		long.conn.Close()
	})
}

func TestTooManyStreams(t *testing.T) {
	inBubble(t, func(f *fixture) {
		var all []*stream
		for i := range maxStreams {
			s, err := f.hub.join(fmt.Sprint("token ", i%(maxStreams/maxStreamsEach)), false)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		r := f.request("GET", "/live", adminToken)
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("one more than %d streams: %d", maxStreams, r.StatusCode)
		}
		r.conn.Close()
		for _, s := range all {
			f.hub.leave(s)
		}
		f.open("", adminToken).conn.Close()
	})
}

// TestTooManyStreamsOfOne: who opens all that there may be leaves room for others.
func TestTooManyStreamsOfOne(t *testing.T) {
	inBubble(t, func(f *fixture) {
		token := f.token(time.Hour)
		var tabs []*reader
		for range maxStreamsEach {
			tabs = append(tabs, f.open("", token))
		}
		r := f.request("GET", "/live", token)
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("one more than %d streams of a token: %d", maxStreamsEach, r.StatusCode)
		}
		r.conn.Close()
		f.open("", adminToken).conn.Close()
		tabs[0].conn.Close()
		time.Sleep(keepAlive) // a write finds that it has gone
		synctest.Wait()
		tabs[0] = f.open("", token)
		for _, tab := range tabs {
			tab.conn.Close()
		}
	})
}

// TestFindings: they are looked for once, and again when somebody asks, but not in a row.
func TestFindings(t *testing.T) {
	inBubble(t, func(f *fixture) {
		a, b := f.open("?system=1", adminToken), f.open("?system=1", adminToken)
		kernels := func(r *reader) (kernels []string) {
			for _, event := range r.take() {
				if data, ok := strings.CutPrefix(event, "findings "); ok {
					var found Findings
					if err := json.Unmarshal([]byte(data), &found); err != nil || found.AtMS == 0 || found.Findings == nil {
						t.Errorf("%v: %s", err, data)
					}
					kernels = append(kernels, found.Kernel+found.Error)
				}
			}
			return kernels
		}
		want := func(when string, want ...string) {
			t.Helper()
			for _, r := range []*reader{a, b} {
				if d := cmp.Diff(want, kernels(r)); d != "" {
					t.Errorf("%s (-want +got):\n%s", when, d)
				}
			}
		}
		again := func() {
			t.Helper()
			r := f.request("POST", "/live/findings", adminToken)
			if r.StatusCode != http.StatusAccepted {
				t.Errorf("POST /live/findings: %d", r.StatusCode)
			}
			r.conn.Close()
		}
		time.Sleep(time.Minute)
		want("once", "kernel 1")
		for range 5 {
			again()
		}
		time.Sleep(time.Minute)
		want("asked for five times at once", "kernel 2")
		f.fail(errAway)
		again()
		time.Sleep(time.Minute)
		want("the stores can't be asked", "away")
		late := f.open("?system=1", adminToken)
		if got := kernels(late); !slices.Equal(got, []string{"away"}) || f.examiners.Load() != 3 {
			t.Errorf("who comes later is told %q, after %d examinations", got, f.examiners.Load())
		}
		late.conn.Close()
		a.conn.Close()
		b.conn.Close()
	})
}

// TestReadsThatFail: an outage is logged once, and a fault of ours ends nothing.
func TestReadsThatFail(t *testing.T) {
	inBubble(t, func(f *fixture) {
		tab := f.open("?system=1", adminToken)
		time.Sleep(time.Minute)
		tab.take()
		f.fail(errAway)
		time.Sleep(time.Minute)
		wantEvents(f, tab, "while nothing can be read", "comment", "comment", "comment", "comment")
		if n := strings.Count(f.logged(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings of one outage:\n%s", n, f.logged())
		}
		if !strings.Contains(f.logged(), "panic: away") {
			t.Errorf("a panic is not logged:\n%s", f.logged())
		}
		f.fail(nil)
		f.counted.Store(1)
		time.Sleep(lookEvery)
		wantEvents(f, tab, "after it", `counts {"counted":1,"changed_ms_ago":0}`, "system")
		tab.conn.Close()
	})
}

func TestConfigIsComplete(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("an empty config was accepted")
	}
}
