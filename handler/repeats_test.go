package handler

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/popupd/popupd/decision"
)

const rid = "0123456789abcdef"

// A poll that is repeated with its rid gets the same bytes and no second impression.
func TestRepeatedPoll(t *testing.T) {
	f := newServer(t, nil, "", "", `"placements":["top"]`).start()
	poll := func(more string) reply { return f.do("GET", "/v1/poll?uid=u&rid="+rid+more, "") }
	first := poll("")
	f.clock.advance(29 * time.Second)
	again := poll("")
	if first.status != http.StatusOK || again.body != first.body || again.header.Get("Popup-Next-Poll") != first.header.Get("Popup-Next-Poll") {
		t.Errorf("repeated: %d %s, first %s", again.status, again.body, first.body)
	}
	f.journaled("u impression 1")
	f.counts(2, "popupd_decisions_total", "outcome", "served")

	load(t, f.store, 2, "", "", `"placements":["top"]`)
	if again = poll("&placement=default"); again.body != first.body {
		t.Errorf("after a change: %s, first %s", again.body, first.body)
	}
	if r := poll("&placement=top"); r.status != http.StatusOK || r.body == first.body {
		t.Errorf("another placement: %d %s", r.status, r.body)
	}
	f.sees("v", "p1", "&rid="+rid)
	f.sees("u", "p2", "&rid=another-"+rid)
	f.journaled("u impression 3", "v impression 1", "u impression 2")
	f.clock.advance(time.Second)
	f.sees("u", "", "&rid="+rid) // 30 s after the first: it cools down
	f.journaled()
}

func TestRepeatedPost(t *testing.T) {
	f := newServer(t, nil, `"placements":["top"]`, `"placements":["side"]`).start()
	body := func(placements string) string {
		return fmt.Sprintf(`{"uid":"u","rid":%q,"placements":[%s]}`, rid, placements)
	}
	post := func(placements string) reply {
		return f.do("POST", "/v1/poll", body(placements), "Content-Type", "application/json")
	}
	first := post(`"top","side"`)
	if again := post(`"top","side"`); first.status != http.StatusOK || again.body != first.body {
		t.Errorf("repeated: %s, first %s", again.body, first.body)
	}
	f.shows(body(`"top","side"`), "p1 in top", "p2 in side")
	f.shows(body(`"side","top"`)) // is another poll
	f.shows(body(`"topside"`))
	f.journaled("u impression 1", "u impression 2")
}

// What was not recorded is not kept: the repeat is decided.
func TestRepeatAfterNothing(t *testing.T) {
	f := newServer(t, nil, `"schedule":{"start_at":"`+time.UnixMilli(startMS).Add(time.Second).UTC().Format(time.RFC3339)+`"}`).start()
	f.sees("u", "", "&rid="+rid)
	f.clock.advance(2 * time.Second)
	f.events.refuse(errFull)
	f.sees("u", "", "&rid="+rid)
	f.events.refuse(nil)
	f.sees("u", "p1", "&rid="+rid)
	f.journaled("u impression 1")
}

// Repeats that come while the first is being recorded wait for it, also if it fails.
func TestRepeatsAtOnce(t *testing.T) {
	for name, fails := range map[string]bool{"recorded": false, "fault": true} {
		t.Run(name, func(t *testing.T) {
			f := newServer(t, nil, "").start()
			var polls sync.WaitGroup
			answers := make(chan reply, 8)
			poll := func() { answers <- f.do("GET", "/v1/poll?uid=u&rid="+rid, "") }
			var once sync.Once
			f.events.hook = func() {
				once.Do(func() {
					for range 7 {
						polls.Go(poll)
					}
					if fails {
						panic("fault")
					}
				})
			}
			polls.Go(poll)
			polls.Wait()
			close(answers)
			bodies := make(map[string]int)
			for r := range answers {
				bodies[fmt.Sprint(r.status, r.body)]++
			}
			want := 1 // the same answer to all
			if fails {
				want = 2 // and a fault to the first; the popup stays reserved
			}
			if len(bodies) != want {
				t.Errorf("%d answers, want %d: %v", len(bodies), want, bodies)
			}
			if !fails {
				f.journaled("u impression 1")
			}
		})
	}
}

// A repeat waits for as long as the first poll is being decided.
func TestRepeatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, key := newRepeats(), repeatKey{1, 2}
		for _, o := range []outcome{shed, served} {
			var first, second decision.Decision
			if r.recall(key, &first, startMS) {
				t.Fatal("the first is known")
			}
			known := make(chan bool, 1)
			go func() { known <- r.recall(key, &second, startMS) }()
			synctest.Wait()
			if len(known) > 0 {
				t.Fatal("did not wait")
			}
			first.Winners, first.NextPollSec = []decision.Winner{{ServedAtMS: startMS}}, 77
			r.keep(key, &first, o)
			got := <-known
			if want := o == served; got != want || want && (len(second.Winners) != 1 || second.NextPollSec != 77) {
				t.Errorf("after %s: known is %v, %+v", outcomeNames[o], got, second.Winners)
			}
			r.keep(key, &second, none) // of what the second decided
		}
	})
}

// The memory is bounded, and polls under way are not forgotten.
func TestRepeatsAreBounded(t *testing.T) {
	f := newServer(t, nil, everyTime).start()
	var p pollScratch
	shard := f.repeats.shardOf(repeatKey{})
	key := func(i int) repeatKey { return repeatKey{0, uint64(i)} }
	for i := range 3 * repeatSlots {
		if f.repeats.recall(key(i), &p.Decision, startMS+int64(i)) {
			t.Fatalf("%d is known", i)
		}
		if i > 0 { // the first is still being decided
			f.repeats.keep(key(i), &p.Decision, served)
		}
	}
	for i := range 3 * repeatSlots {
		known := shard.find(key(i), startMS+int64(3*repeatSlots)) != nil
		if want := i == 0 || i > 2*repeatSlots; known != want {
			t.Errorf("%d is known: %v, want %v", i, known, want)
		}
	}
}
