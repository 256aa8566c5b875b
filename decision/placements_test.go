package decision

import (
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// shows decides over several placements for the user u and fails the test unless
// this is shown: "p2 in top, p1 in side".
func (f *fixture) shows(placements, want string) {
	f.Helper()
	r := &popup.Request{User: []byte("u")}
	for name := range strings.SplitSeq(placements, " ") {
		r.Placements = append(r.Placements, []byte(name))
	}
	f.Decide(f.snap, f.users, r, f.nowMS, f.limit)
	var got []string
	for _, w := range f.Winners {
		got = append(got, w.Popup.Key+" in "+string(r.Placements[w.Placement]))
	}
	if strings.Join(got, ", ") != want {
		f.Fatalf("%s: %q (%v), want %q", placements, got, f.Reason, want)
	}
}

func TestSeveralPlacements(t *testing.T) {
	f := newFixture(t, frequency.Config{}, `"placements":["top"]`, `"placements":["side"],"priority":1`, `"placements":["side"],"priority":2`)
	f.shows("top side end", "p3 in side, p1 in top")
	f.recorded("u impression 3", "u impression 1")
	f.shows("top side end", "p2 in side")
	f.shows("top side end", "")
	f.because(popup.CooldownImpression)
}

// A popup that fits several placements is shown once, in the first one that is open.
func TestPopupOfSeveralPlacements(t *testing.T) {
	const often = `,"frequency":{"after_impression_sec":0}`
	f := newFixture(t, frequency.Config{}, `"priority":2,"placements":["top","side"]`+often, `"priority":1,"placements":["top","side"]`+often)
	for _, c := range []struct{ placements, want string }{
		{"top side", "p1 in top, p2 in side"},
		{"side top", "p1 in side, p2 in top"},
		{"side", "p1 in side"},
		{"end side top", "p1 in side, p2 in top"},
		{"end", ""},
	} {
		f.advance(time.Second)
		f.shows(c.placements, c.want)
	}
}

// Those of one priority take turns, over all placements.
func TestLeastRecentlyShownOverPlacements(t *testing.T) {
	const often = `"placements":["top","side"],"frequency":{"after_impression_sec":0}`
	f := newFixture(t, frequency.Config{}, often, often, often)
	for _, want := range []string{
		"p1 in top, p2 in side", "p3 in top, p1 in side", "p2 in top, p1 in side", "p3 in top, p1 in side",
	} {
		f.advance(time.Second)
		f.shows("top side", want)
	}
}

// The gap goes to the highest priority: of popups that keep it only one is shown.
func TestMinGapOverPlacements(t *testing.T) {
	gap := frequency.Config{MinGap: time.Hour}
	const ignores = `,"frequency":{"ignore_min_gap":true}`
	f := newFixture(t, gap, `"placements":["top"],"priority":1`, `"placements":["side"],"priority":100`, `"placements":["end"]`+ignores)
	f.shows("top side end", "p2 in side, p3 in end")
	f.advance(time.Hour + 100*time.Millisecond)
	f.shows("top side end", "p1 in top")

	// Of one priority, all shown before: the second one is stopped too.
	f = newFixture(t, gap, `"placements":["top"],"frequency":{"after_impression_sec":60}`, `"placements":["side"],"frequency":{"after_impression_sec":60}`)
	f.shows("top", "p1 in top")
	f.advance(2 * time.Hour)
	f.shows("side", "p2 in side")
	f.advance(2 * time.Hour)
	f.shows("side top", "p1 in top")
	f.recorded("u impression 1")
}

// A control takes no placement, and is recorded once wherever it would have been.
func TestControlOverPlacements(t *testing.T) {
	f := newFixture(t, frequency.Config{}, `"placements":["top"]`, `"placements":["side"]`,
		`"priority":1,"placements":["top","side"],"frequency":{"after_impression_sec":0},"variants":[{"key":"none","control":true}]`)
	f.shows("top side", "p1 in top, p2 in side")
	f.recorded("u control 3", "u impression 1", "u impression 2")
}

// What several placements reserved is given back as a whole.
func TestUndoOverPlacements(t *testing.T) {
	f := newFixture(t, frequency.Config{MinGap: time.Hour}, `"placements":["top"]`, `"placements":["side"],"frequency":{"ignore_min_gap":true}`)
	f.shows("top side", "p1 in top, p2 in side")
	f.Undo(f.users, &popup.Request{User: []byte("u")})
	if len(f.Winners) > 0 {
		t.Errorf("after undoing: %d winners", len(f.Winners))
	}
	f.users.States([]byte("u"), func(id uint32, s popup.State) { t.Errorf("popup %d is still remembered: %+v", id, s) })
	f.shows("top side", "p1 in top, p2 in side")
}

// A new user who is not admitted sees nothing in any placement, one who is counts once.
func TestNewUserOverPlacements(t *testing.T) {
	f := newFixture(t, frequency.Config{}, `"placements":["top"]`, `"placements":["side"]`)
	var left budget
	f.limit = &left
	f.shows("top side", "")
	if !f.Limited || left != -1 {
		t.Errorf("limited %v with %d left, want true with -1", f.Limited, left)
	}
	left = 1
	f.shows("top side", "p1 in top, p2 in side")
	if f.Limited || left != 0 {
		t.Errorf("limited %v with %d left, want false with 0", f.Limited, left)
	}
}

// So does one that waits to be confirmed.
func TestMinGapOverUnconfirmed(t *testing.T) {
	f := newFixture(t, frequency.Config{MinGap: time.Hour}, `"placements":["top"],"frequency":{"confirm_sec":60}`, `"placements":["side"],"priority":100,"frequency":{"confirm_sec":60}`)
	f.shows("top side", "p2 in side")
}
