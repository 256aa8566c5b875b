package handler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// actAged reports an action that happened some time ago.
func (f *fixture) actAged(action, token, age string) reply {
	f.Helper()
	return f.do("POST", "/v1/actions", fmt.Sprintf(`{"token":%q,"action":%q,"age_ms":%s}`, token, action, age), "Content-Type", "application/json")
}

// What a client that was offline reports begins its wait when it happened.
func TestAge(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_click_sec":10800,"after_impression_sec":0}`).start()
	token := f.sees("u", "p1").Token
	f.clock.advance(2 * time.Hour)
	if r := f.actAged("click", token, "3600000"); r.status != http.StatusAccepted || r.body != acceptedOne {
		t.Fatalf("%d %s", r.status, r.body)
	}
	click := f.journaled("u impression 1", "u click 1")[1]
	if want := startMS + time.Hour.Milliseconds(); click.AtMS != want || click.ClickUntilMS != want+(3*time.Hour).Milliseconds() {
		t.Errorf("click at %d, waits until %d, want %d and 3 h more", click.AtMS, click.ClickUntilMS, want)
	}
	f.clock.advance(2*time.Hour - time.Second)
	f.sees("u", "")
	f.clock.advance(time.Second)
	f.sees("u", "p1")
}

// Nothing happened before it was shown, or is yet to happen.
func TestAgeEndsAtServing(t *testing.T) {
	for age, want := range map[string]int64{
		"0": startMS + 60_000, "1": startMS + 59_999, "60000": startMS, "60001": startMS, "604800001": startMS, "9223372036854775808": startMS,
	} {
		f := newServer(t, nil, "").start()
		token := f.sees("u", "p1").Token
		f.clock.advance(time.Minute)
		if r := f.actAged("dismiss", token, age); r.status != http.StatusAccepted {
			t.Errorf("age %s: %d %s", age, r.status, r.body)
			continue
		}
		if e := f.journaled("u impression 1", "u dismiss 1")[1]; e.AtMS != want || e.ServedAtMS != startMS {
			t.Errorf("age %s: at %d, want %d", age, e.AtMS, want)
		}
	}
}

func TestMalformedAge(t *testing.T) {
	f := newServer(t, nil, "").start()
	token := f.sees("u", "p1").Token
	for _, age := range []string{"-1", "0.5", "1e3", `"5"`, "null", "true", "[]", "{}", `5,"age_ms":6`} {
		if r := f.actAged("click", token, age); r.status != http.StatusBadRequest || r.code() != "malformed_action" {
			t.Errorf("age %s: %d %s", age, r.status, r.body)
		}
	}
	body := fmt.Sprintf(`[{"token":%q,"action":"click","age_ms":-1},{"token":%q,"action":"dismiss","age_ms":1}]`, token, token)
	r := f.do("POST", "/v1/actions", body, "Content-Type", "application/json")
	if r.status != http.StatusAccepted || r.body != `{"accepted":1,"rejected":[{"index":0,"code":"malformed_action"}]}` {
		t.Errorf("in an array: %d %s", r.status, r.body)
	}
	f.journaled("u impression 1", "u dismiss 1")
	f.counts(10, "popupd_actions_total", "action", "unknown", "result", "malformed")
}

// A view changes no wait, nor does a repeat.
func TestView(t *testing.T) {
	f := newServer(t, nil, "").start()
	token := f.sees("u", "p1").Token
	f.does("view", token)
	f.does("view", token)
	for _, view := range f.journaled("u impression 1", "u view 1", "u view 1")[1:] {
		if view.ReadyAtMS != 0 || view.ClickUntilMS != 0 {
			t.Errorf("view: %+v, want no wait", view)
		}
	}
	f.clock.advance(day - time.Second)
	f.sees("u", "")
	f.clock.advance(time.Second)
	f.sees("u", "p1")
	f.counts(1, "popupd_actions_total", "action", "view", "result", "counted")
	f.counts(1, "popupd_actions_total", "action", "view", "result", "repeated")
}

// A popup that was released may be returned at once, as if it had not been served.
func TestRelease(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"max_impressions":1}`).start()
	first := f.sees("u", "p1")
	f.sees("u", "")
	f.clock.advance(popup.ReleaseWithin)
	f.does("release", first.Token)
	f.does("release", first.Token)
	again := f.sees("u", "p1")
	events := f.journaled("u impression 1", "u release 1", "u release 1", "u impression 1")
	if events[0].Nth != 1 || events[3].Nth != 1 {
		t.Errorf("impressions are the %d. and the %d., want the first both times", events[0].Nth, events[3].Nth)
	}
	f.does("click", again.Token)
	f.clock.advance(31 * day)
	f.sees("u", "") // max_impressions
	f.counts(1, "popupd_actions_total", "action", "release", "result", "counted")
	f.counts(1, "popupd_actions_total", "action", "release", "result", "repeated")
}

// After 10 minutes a release is taken and means nothing.
func TestLateRelease(t *testing.T) {
	f := newServer(t, nil, "").start()
	token := f.sees("u", "p1").Token
	f.clock.advance(popup.ReleaseWithin + time.Millisecond)
	f.does("release", token)
	r := f.do("POST", "/v1/actions", fmt.Sprintf(`[{"token":%q,"action":"release","age_ms":600000}]`, token), "Content-Type", "application/json")
	if r.status != http.StatusAccepted || r.body != acceptedOne {
		t.Errorf("in an array: %d %s", r.status, r.body)
	}
	f.sees("u", "")
	f.journaled("u impression 1")
	f.counts(2, "popupd_actions_total", "action", "release", "result", "late")
	f.counts(0, "popupd_actions_total", "action", "release", "result", "counted")
}

// What the journal refuses has not happened.
func TestRefusedReleaseAndView(t *testing.T) {
	f := newServer(t, nil, "").start()
	token := f.sees("u", "p1").Token
	f.events.refuse(errFull)
	for _, action := range []string{"view", "release"} {
		if r := f.act(action, token); r.status != http.StatusServiceUnavailable || r.code() != "not_recorded" {
			t.Errorf("%s: %d %s", action, r.status, r.body)
		}
		f.counts(1, "popupd_actions_total", "action", action, "result", "refused")
	}
	f.events.refuse(nil)
	f.sees("u", "")
	f.does("view", token)
	f.does("release", token)
	f.sees("u", "p1")
	f.journaled("u impression 1", "u view 1", "u release 1", "u impression 1")
}

// The codes of the answer to a single bad item are those of an item in an array.
func TestBadItems(t *testing.T) {
	f := newServer(t, nil, "").start()
	old := f.sees("u", "p1").Token
	f.clock.advance(popup.TokenLife + time.Millisecond)
	for _, c := range []struct {
		item   string
		status int
		code   string
	}{
		{fmt.Sprintf(`{"token":%q,"action":"release"}`, old), 410, "token_expired"},
		{fmt.Sprintf(`{"token":%q,"action":"view","age_ms":604800000}`, old), 410, "token_expired"},
		{fmt.Sprintf(`{"token":%q,"action":"Release"}`, old), 400, "unknown_action"},
		{`{"token":"v1.x","action":"view"}`, 401, "invalid_token"},
		{`{"action":"release"}`, 400, "malformed_action"},
	} {
		single := f.do("POST", "/v1/actions", c.item, "Content-Type", "application/json")
		if single.status != c.status || single.code() != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.item, single.status, single.body, c.status, c.code)
		}
		array := f.do("POST", "/v1/actions", "["+c.item+"]", "Content-Type", "application/json")
		if want := fmt.Sprintf(`{"accepted":0,"rejected":[{"index":0,"code":%q}]}`, c.code); array.status != http.StatusAccepted || array.body != want || !json.Valid([]byte(array.body)) {
			t.Errorf("[%s]: %d %s, want 202 %s", c.item, array.status, array.body, want)
		}
	}
	f.journaled("u impression 1")
	f.counts(2, "popupd_actions_total", "action", "release", "result", "expired")
}

// With confirm_sec an impression that no page confirms costs next to nothing.
func TestConfirm(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"confirm_sec":30,"after_impression_sec":3600,"max_impressions":1}`).start()
	f.sees("u", "p1")
	f.sees("u", "") // the page may still be about to show it
	f.clock.advance(30 * time.Second)
	seen := f.sees("u", "p1")
	f.clock.advance(10 * time.Second)
	if r := f.actAged("view", seen.Token, "4000"); r.status != http.StatusAccepted {
		t.Fatalf("view: %d %s", r.status, r.body)
	}
	events := f.journaled("u impression 1", "u impression 1", "u view 1")
	view, at := events[2], startMS+36_000
	if events[0].Nth != 0 || events[1].Nth != 0 || view.Nth != 1 {
		t.Errorf("impressions are the %d. and %d., the view says the %d., want 0, 0 and 1", events[0].Nth, events[1].Nth, view.Nth)
	}
	if view.AtMS != at || view.ReadyAtMS != at+time.Hour.Milliseconds() {
		t.Errorf("view at %d, wait until %d, want %d and an hour more", view.AtMS, view.ReadyAtMS, at)
	}
	f.clock.advance(2 * time.Hour)
	f.sees("u", "") // max_impressions
	f.does("release", f.sees("v", "p1").Token)
	f.sees("v", "p1")
}
