package decision

import (
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

const (
	twoAnHour = `{"key":"hourly","max":2,"per_sec":3600}`
	oneSale   = `{"key":"sales","max":1,"per_sec":86400,"tags":["sale"]}`
	often     = `"frequency":{"after_impression_sec":0}`
	sale      = often + `,"tags":["sale"]`
)

// A full cap stops the popups that it covers, and says when the user should poll again.
func TestCaps(t *testing.T) {
	f := newCapped(t, twoAnHour+","+oneSale, `"priority":2,`+sale, often)
	f.sees("u", "p1")
	f.advance(time.Minute)
	f.sees("u", "p2") // one sale a day
	f.sees("u", "")
	f.because(popup.CapFull)
	f.advance(58 * time.Minute)
	f.sees("u", "")
	if f.NextPollSec < 60 || f.NextPollSec > 75 {
		t.Errorf("next poll in %d s, want it when the first impression is an hour old", f.NextPollSec)
	}
	f.advance(time.Minute + 100*time.Millisecond)
	f.sees("u", "p2")
	f.sees("v", "p1") // the caps are each user's
}

// A user who waits for a popup shortly, and whose cap is full for long, need not poll soon.
func TestCapOfAPopupThatWaits(t *testing.T) {
	f := newCapped(t, `{"key":"one","max":1,"per_sec":3600}`, `"frequency":{"after_impression_sec":100}`)
	f.sees("u", "p1")
	f.sees("u", "")
	if f.NextPollSec < 200 {
		t.Errorf("next poll in %d s, want it late: the popup waits for 100 s, its cap is full for an hour", f.NextPollSec)
	}
}

// Of several placements the caps go to the highest priority, also where the page has yet
// to confirm what it shows.
func TestCapsOverPlacements(t *testing.T) {
	for name, confirm := range map[string]string{"served is seen": "", "unconfirmed": `,"confirm_sec":60`} {
		frequency := `,"frequency":{"after_impression_sec":0` + confirm + `}`
		f := newCapped(t, twoAnHour, `"placements":["top"]`+frequency, `"placements":["side"],"priority":1`+frequency, `"placements":["end"],"priority":2`+frequency)
		f.shows("top side end", "p3 in end, p2 in side")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// What could not be recorded, controls and releases take no place.
func TestCapsGiveBack(t *testing.T) {
	r := &popup.Request{User: []byte("u")}
	f := newCapped(t, `{"key":"one","max":1,"per_sec":3600}`, often, often+`,"priority":1,"variants":[{"key":"none","control":true}]`)
	f.sees("u", "p1")
	f.Undo(f.users, r)
	f.sees("u", "p1")
	shown := f.Events[len(f.Events)-1]
	f.advance(time.Second)
	f.sees("u", "")
	f.because(popup.CapFull)
	shown.Action, shown.AtMS = popup.Release, f.nowMS
	user := f.users.Lock(r.User)
	if _, outcome := user.Act(&shown, &popup.Frequency{}, 0); outcome != frequency.Counted {
		t.Fatalf("release: %v", outcome)
	}
	user.Unlock()
	f.sees("u", "p1")
}

// 20 popups a day to all, one sale a month: the month's only sale must not be forgotten.
func TestLongCapBesideAShortOne(t *testing.T) {
	f := newCapped(t, `{"key":"daily","max":20,"per_sec":86400},{"key":"sales","max":1,"per_sec":2592000,"tags":["sale"]}`,
		`"priority":2,`+sale, often)
	f.sees("u", "p1")
	for i := range 400 {
		f.advance(73 * time.Minute) // the month is not over after 400 of them
		f.users.Sweep(f.nowMS)
		f.sees("u", "p2")
		if t.Failed() {
			t.Fatalf("after %d others, %d min: the sale came back", i, 73*(i+1))
		}
	}
}

// A page that releases again and again must not make a cap forget what was seen.
func TestCapsBesideManyReleases(t *testing.T) {
	r := &popup.Request{User: []byte("u")}
	f := newCapped(t, `{"key":"sales","max":1,"per_sec":86400,"tags":["sale"]},{"key":"all","max":20,"per_sec":86400}`, `"priority":2,`+sale, often)
	f.sees("u", "p1")
	for i := range 400 {
		f.advance(time.Second)
		f.sees("u", "p2")
		if t.Failed() {
			t.Fatalf("after %d releases", i)
		}
		shown := f.Events[len(f.Events)-1]
		shown.Action, shown.AtMS = popup.Release, f.nowMS
		user := f.users.Lock(r.User)
		if _, outcome := user.Act(&shown, &popup.Frequency{}, 0); outcome != frequency.Counted {
			t.Fatalf("release: %v", outcome)
		}
		user.Unlock()
	}
}

// What was clicked was shown, whatever the page says.
func TestCapsCountWhatWasReleasedAndClicked(t *testing.T) {
	r := &popup.Request{User: []byte("u")}
	f := newCapped(t, `{"key":"one","max":1,"per_sec":3600}`, `"frequency":{"after_impression_sec":0,"after_click_sec":0}`)
	f.sees("u", "p1")
	for _, a := range []popup.Action{popup.Release, popup.Click} {
		shown := f.Events[len(f.Events)-1]
		shown.Action, shown.AtMS = a, f.nowMS
		user := f.users.Lock(r.User)
		user.Act(&shown, &f.snap.Popup(1).Frequency, 0)
		user.Unlock()
	}
	f.advance(time.Second)
	f.sees("u", "")
}
