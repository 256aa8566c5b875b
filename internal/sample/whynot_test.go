package sample

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// whyNotStore is a store in memory, which fails as long as err is set.
type whyNotStore struct {
	mu     sync.Mutex
	rows   []popup.WhyNot
	writes int
	tries  int
	err    error
}

func (s *whyNotStore) AddWhyNot(_ context.Context, counts []popup.WhyNot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.err == nil {
		s.rows = append(s.rows, counts...)
		s.writes++
	}
	return s.err
}

func (s *whyNotStore) WhyNot(_ context.Context, id uint32, fromMS, toMS int64) (out []popup.WhyNot, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if r.PopupID == id && r.HourMS >= fromMS && r.HourMS < toMS {
			out = append(out, r)
		}
	}
	return out, s.err
}

// sees returns how many rows and writes there are, and how often it was asked.
func (s *whyNotStore) sees() (rows, writes, tries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows), s.writes, s.tries
}

// fail has the store fail, unless err is nil.
func (s *whyNotStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func newCounter(t testing.TB, perSecond int64, specs ...string) (*WhyNot, *whyNotStore, *snapshot.Snapshot) {
	store, snapshots := new(whyNotStore), snapshot.NewStore()
	snapshots.Set(compiled(t, specs...))
	return NewWhyNot(WhyNotConfig{Store: store, Snapshots: snapshots, PerSecond: perSecond}), store, snapshots.Current()
}

// polls takes polls of a user as the data plane does.
func polls(w *WhyNot, draw *Draw, snap *snapshot.Snapshot, users *frequency.Table, n int, atMS int64) (taken int) {
	r := popup.Request{User: []byte("u")}
	for range n {
		if chance := w.Picks(draw); chance > 0 {
			w.Take(snap, users, &r, atMS, chance)
			taken++
		}
	}
	return taken
}

// sum adds up what was counted of a popup by reason.
func (s *whyNotStore) sum(id uint32) map[popup.Reason]uint64 {
	out := map[popup.Reason]uint64{}
	for _, r := range s.rows {
		if r.PopupID == id {
			out[r.Reason] += r.Polls
		}
	}
	return out
}

// However many polls come, few are looked at, and what they are taken for adds up to all.
func TestWhyNotIsBoundedAndEstimates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, snap := newCounter(t, 0, "", `"priority":-1`)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		const seconds, perSecond = 300, 20_000
		draw, users, total := Draw(1), frequency.New(frequency.Config{}), 0
		for second := range seconds {
			taken := 0
			for range 100 { // evenly over the second
				taken += polls(w, &draw, snap, users, perSecond/100, noon)
				time.Sleep(10 * time.Millisecond)
			}
			if second > 0 && taken > 4*defaultPerSecond {
				t.Errorf("%d polls were taken in a second", taken)
			}
			total += taken
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if total < seconds*defaultPerSecond/4 {
			t.Errorf("only %d polls were taken", total)
		}
		for id, reason := range map[uint32]popup.Reason{1: popup.Eligible, 2: popup.Outranked} {
			got := store.sum(id)
			if n := float64(got[reason]); len(got) != 1 || math.Abs(n/(seconds*perSecond)-1) > 0.1 {
				t.Errorf("popup %d: %v of %d polls", id, got, seconds*perSecond)
			}
		}
	})
}

// With few polls every one of them is looked at, also after there were many.
func TestFewPollsAreAllEvaluated(t *testing.T) {
	w, _, snap := newCounter(t, 8, "")
	draw, users := Draw(7), frequency.New(frequency.Config{})
	polls(w, &draw, snap, users, 100_000, noon)
	low := w.chance.Load()
	for range 20 {
		w.adapt()
	}
	if low > math.MaxUint64>>8 || w.chance.Load() != math.MaxUint64 {
		t.Errorf("chance %x of many, then %x", low, w.chance.Load())
	}
	for len(w.waiting) > 0 {
		w.evaluate(<-w.waiting)
	}
	if n := polls(w, &draw, snap, users, 8, noon); n != 8 {
		t.Errorf("%d of 8 polls were taken", n)
	}
	// With ten thousand popups fewer are.
	specs := make([]string, 10_000)
	w.config.Snapshots.Set(compiled(t, specs...))
	w.adapt()
	if n := w.allowed.Load(); n != 4 {
		t.Errorf("%d polls a second with 10,000 popups, want 4", n)
	}
}

// A picked poll has copies: neither the poll's own impression nor what comes after in the memory
// of the request changes what it says.
func TestEvaluatedAsBeforeThePoll(t *testing.T) {
	w, store, snap := newCounter(t, 1000, `"frequency":{"after_impression_sec":60},"targeting":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}`)
	users, draw := frequency.New(frequency.Config{}), Draw(3)
	text := []byte("uprohome")
	for i := range 3 {
		copy(text, fmt.Sprint("u", "prohome"))
		r := popup.Request{User: text[:1], Attrs: []popup.Attr{{Name: []byte("plan"), Value: text[1:4]}}}
		w.Take(snap, users, &r, noon+int64(i)*30_000, w.Picks(&draw))
		u := users.Lock(r.User)
		if i == 0 {
			ev := popup.Event{User: r.User, Popup: 1, Version: 1, Variant: []byte("a"), Action: popup.Impression, AtMS: noon}
			u.Serve(&ev, &snap.Popup(1).Frequency)
		}
		u.Unlock()
		copy(text, "xxxxxxxx")
	}
	for len(w.waiting) > 0 {
		w.evaluate(<-w.waiting)
	}
	if err := w.writeAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[popup.Reason]uint64{popup.Eligible: 2, popup.CooldownImpression: 1}, store.sum(1)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestPicksNothing(t *testing.T) {
	draw := Draw(1)
	for range 1000 {
		if new(WhyNot).Picks(&draw) != 0 {
			t.Fatal("the zero value picks a poll")
		}
	}
}
