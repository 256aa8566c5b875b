package handler

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// What happens when the journal does not take what was decided.

func TestPollRefusedByJournal(t *testing.T) {
	f := newServer(t, nil, "", `"priority":1,"variants":[{"key":"none","control":true}]`).start()
	f.events.refuse(errFull)
	r := f.do("GET", "/v1/poll?uid=u", "")
	if r.status != http.StatusNoContent || r.header.Get("Popup-Next-Poll") == "" {
		t.Errorf("%d %s, want 204", r.status, r.body)
	}
	f.counts(1, "popupd_decisions_total", "outcome", "unrecorded")
	f.events.refuse(nil)
	f.sees("u", "p1") // nothing was reserved, the control was not either
	f.journaled("u control 2", "u impression 1")
}

func TestActionRefusedByJournal(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_impression_sec":60}`).start()
	shown := f.sees("u", "p1")
	f.events.refuse(errFull)
	r := f.act("click", shown.Token)
	if r.status != http.StatusServiceUnavailable || r.code() != "not_recorded" || r.header.Get("Retry-After") == "" {
		t.Errorf("%+v", r)
	}
	f.counts(1, "popupd_actions_total", "action", "click", "result", "refused")
	f.counts(0, "popupd_actions_total", "action", "click", "result", "counted")
	f.events.refuse(nil)
	f.clock.advance(time.Minute)
	f.sees("u", "p1") // the refused click asks for no wait
	f.journaled("u impression 1", "u impression 1")
}

func TestRefusedActionCanBeRepeated(t *testing.T) {
	f := newServer(t, nil, "").start()
	shown := f.sees("u", "p1")
	f.events.refuse(errFull)
	f.act("click", shown.Token)
	f.events.refuse(nil)
	f.does("click", shown.Token)
	f.journaled("u impression 1", "u click 1")
}

// A repeat that is refused takes nothing from the action that was recorded.
func TestRefusedRepeat(t *testing.T) {
	f := newServer(t, nil, "").start()
	shown := f.sees("u", "p1")
	f.does("click", shown.Token)
	f.events.refuse(errFull)
	if r := f.act("click", shown.Token); r.status != http.StatusServiceUnavailable || r.code() != "not_recorded" {
		t.Errorf("%d %s", r.status, r.body)
	}
	f.events.refuse(nil)
	f.counts(0, "popupd_actions_total", "action", "click", "result", "repeated")
	f.counts(1, "popupd_actions_total", "action", "click", "result", "refused")
	f.does("click", shown.Token)
	f.counts(1, "popupd_actions_total", "action", "click", "result", "repeated")
	f.clock.advance(29 * day)
	f.sees("u", "")
	f.journaled("u impression 1", "u click 1", "u click 1")
}

// All of an array is recorded or nothing is.
func TestArrayRefusedByJournal(t *testing.T) {
	f := newServer(t, nil, "", "").start()
	a, b := f.sees("u", "p1"), f.sees("u", "p2")
	f.events.take()
	f.events.refuse(errFull)
	body := fmt.Sprintf(`[{"token":%q,"action":"click"},{"token":%q,"action":"dismiss"},{"token":%q,"action":"click"},7]`, a.Token, a.Token, b.Token)
	r := f.do("POST", "/v1/actions", body, "Content-Type", "application/json")
	if r.status != http.StatusServiceUnavailable || r.code() != "not_recorded" {
		t.Errorf("%d %s", r.status, r.body)
	}
	f.events.refuse(nil)
	r = f.do("POST", "/v1/actions", body, "Content-Type", "application/json")
	if r.status != http.StatusAccepted || r.body != `{"accepted":3,"rejected":[{"index":3,"code":"malformed_action"}]}` {
		t.Errorf("again: %d %s", r.status, r.body)
	}
	f.journaled("u click 1", "u dismiss 1", "u click 2")
}

// While the journal has not answered, the popup is reserved: another tab is
// not shown it. If the journal then refuses, it can be shown again.
func TestReservedWhileJournaled(t *testing.T) {
	f := newServer(t, nil, "").start()
	f.events.refuse(errFull)
	during := -1
	f.events.hook = func() {
		f.events.hook = nil
		during = f.do("GET", "/v1/poll?uid=u", "").status
	}
	if r := f.do("GET", "/v1/poll?uid=u", ""); r.status != http.StatusNoContent || during != http.StatusNoContent {
		t.Errorf("%d, another tab meanwhile %d, want 204 for both", r.status, during)
	}
	f.counts(1, "popupd_decisions_total", "outcome", "none")
	f.counts(1, "popupd_decisions_total", "outcome", "unrecorded")
	f.events.refuse(nil)
	f.sees("u", "p1")
}
