package decision

import (
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

func TestSelectionOrder(t *testing.T) {
	const often = `"frequency":{"after_impression_sec":0}`
	f := newFixture(t, frequency.Config{}, often, often, `"priority":1,"frequency":{"after_impression_sec":3600}`)
	// The higher priority first, then the least recently shown, then the lowest id.
	for _, want := range []string{"p3", "p1", "p2", "p1", "p2"} {
		f.advance(time.Second)
		f.sees("u", want)
	}
	f.advance(time.Hour)
	f.sees("u", "p3")
}

func TestControl(t *testing.T) {
	const control = `"priority":1,"variants":[{"key":"a","weight":0},{"key":"none","weight":1,"control":true}]`
	f := newFixture(t, frequency.Config{}, "", control)
	f.sees("u", "p1")
	f.recorded("u control 2", "u impression 1")
	f.sees("u", "") // both wait
	f.recorded()
	f.because(popup.CooldownImpression)

	f = newFixture(t, frequency.Config{}, control)
	f.sees("u", "")
	f.recorded("u control 1")
	f.because(popup.InControl)
}

func TestMaxImpressions(t *testing.T) {
	f := newFixture(t, frequency.Config{}, `"frequency":{"after_impression_sec":60,"max_impressions":2}`)
	f.sees("u", "p1")
	f.advance(time.Minute)
	f.sees("u", "p1")
	f.advance(100 * 24 * time.Hour)
	f.sees("u", "")
	f.because(popup.MaxImpressionsSeen)
}

func TestMinGap(t *testing.T) {
	f := newFixture(t, frequency.Config{MinGap: time.Minute}, "", "", `"priority":-1,"frequency":{"ignore_min_gap":true}`)
	f.sees("u", "p1")
	f.sees("u", "p3")
	f.advance(time.Minute - time.Millisecond)
	f.sees("u", "")
	f.because(popup.MinGap)
	f.advance(101 * time.Millisecond) // times resolve to 100 ms, and a gap is never shorter
	f.sees("u", "p2")
}

// A user who is known still sees what needs no more memory.
func TestStateFullKnownUser(t *testing.T) {
	const again = `"frequency":{"after_impression_sec":60}`
	f := newFixture(t, frequency.Config{MaxBytes: 1024}, again, `"priority":1`)
	both := f.snap
	f.snap = compile(t, again)
	f.sees("u", "p1")
	// Fill what the user's shard has left.
	for i := 0; f.users.Restore([]byte("u"), uint32(1000+i), popup.State{Impressions: 1, ServedAtMS: startMS, AtMS: startMS, NextAtMS: popup.Never}); i++ {
		if i > 10_000 {
			t.Fatal("the table is never full")
		}
	}
	f.snap = both
	f.advance(time.Minute)
	f.sees("u", "p1")
	f.recorded("u impression 1")
	f.sees("v", "")
	f.recorded()
	f.because(popup.StateFull)
}

// budget admits so many new users.
type budget int

func (b *budget) Admit(int64) bool {
	*b--
	return *b >= 0
}

func TestNewUsers(t *testing.T) {
	f := newFixture(t, frequency.Config{}, `"priority":1`, "")
	left := budget(2)
	f.limit = &left
	f.sees("u", "p1")
	f.sees("u", "p2") // known by now: the limit is not asked
	f.sees("v", "p1")
	f.sees("w", "")
	if !f.Limited || left != -1 {
		t.Errorf("limited %v with %d left, want true with -1", f.Limited, left)
	}
	f.recorded()
	f.sees("v", "p2")
	if f.Limited {
		t.Error("a known user was limited")
	}
}

func TestUndo(t *testing.T) {
	const control = `"priority":1,"variants":[{"key":"none","control":true}]`
	f := newFixture(t, frequency.Config{}, "", control)
	f.sees("u", "p1")
	f.Undo(f.users, &popup.Request{User: []byte("u")})
	if len(f.Winners) > 0 {
		t.Errorf("after undoing: %v is the winner", f.Winners[0].Popup.Key)
	}
	f.users.States([]byte("u"), func(id uint32, s popup.State) { t.Errorf("popup %d is still remembered: %+v", id, s) })
	f.sees("u", "p1")
	f.recorded("u control 2", "u impression 1")
}
