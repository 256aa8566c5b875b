package handler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// reports sends a body of events.
func (f *fixture) reports(body string, header ...string) reply {
	f.Helper()
	if len(header) == 0 {
		header = []string{"Content-Type", "application/json"}
	}
	return f.do("POST", "/v1/events", body, header...)
}

// An event is journaled for each popup whose goal it is and that the user was exposed to
// in time, by an impression or a control.
func TestEvents(t *testing.T) {
	f := newServer(t, nil,
		`"goal":{"event":"purchase","window_sec":3600}`,
		`"placements":["top"],"goal":{"event":"purchase","window_sec":60}`,
		`"placements":["side"],"goal":{"event":"visit"}`,
		`"placements":["ghost"],"goal":{"event":"purchase"},"variants":[{"key":"none","control":true}]`,
		`"placements":["other"],"goal":{"event":"purchase"}`,
	).start()
	f.sees("u", "p1")
	f.sees("u", "p2", "&placement=top")
	f.sees("u", "p3", "&placement=side")
	f.sees("u", "", "&placement=ghost")
	f.sees("w", "p1")
	f.sees("w", "p2", "&placement=top")
	f.journaled("u impression 1", "u impression 2", "u impression 3", "u control 4", "w impression 1", "w impression 2")

	f.clock.advance(10 * time.Second)
	says := func(body string) {
		t.Helper()
		if r := f.reports(body); r.status != http.StatusAccepted || r.body != acceptedOne {
			t.Fatalf("%s: %d %s", body, r.status, r.body)
		}
	}
	says(`{"uid":"u","event":"purchase"}`)
	for _, e := range f.journaled("u goal 1", "u goal 2", "u goal 4") {
		window := map[uint32]int64{1: 3600_000, 2: 60_000, 4: 604_800_000}[e.Popup]
		if want := startMS + 10_000; e.AtMS != want || e.ServedAtMS != want-window || e.Version != 1 || len(e.Variant) != 0 || e.ReadyAtMS != startMS {
			t.Errorf("goal: %+v, want it at %d for exposures of %d ms, the latest at %d", e, want, window, startMS)
		}
	}
	f.clock.advance(time.Minute)
	says(`{"uid":"w","event":"purchase"}`)
	f.journaled("w goal 1")
	says(`{"uid":"u","event":"visit"}`)
	f.journaled("u goal 3")
	says(`{"uid":"u","event":"nothing"}`)
	says(`{"uid":"somebody","event":"purchase"}`)
	f.journaled()
	f.sees("v", "p1")
	f.journaled("v impression 1")
	load(t, f.store, 2, `"status":"paused","goal":{"event":"purchase","window_sec":3600}`)
	says(`{"uid":"v","event":"purchase"}`)
	f.journaled("v goal 1")
	f.counts(4, "popupd_events_total", "result", "recorded")
	f.counts(2, "popupd_events_total", "result", "unmatched")
	f.sees("u", "") // no wait has changed
}

// As an array, as a form, as a beacon.
func TestFormsOfEvents(t *testing.T) {
	f := newServer(t, nil, purchase).start()
	for user, send := range map[string]func() reply{
		"array": func() reply { return f.reports(`[{"uid":"array","event":"purchase"}]`) },
		"text": func() reply {
			return f.reports(`{"uid":"text","event":"purchase"}`, "Content-Type", "text/plain;charset=UTF-8")
		},
		"form": func() reply {
			return f.reports("uid=form&event=purchase&x=1", "Content-Type", "application/x-www-form-urlencoded")
		},
		"a b": func() reply {
			return f.reports("uid=a+b&event=%70urchase", "Content-Type", "application/x-www-form-urlencoded")
		},
	} {
		f.sees(strings.ReplaceAll(user, " ", "+"), "p1")
		f.events.take()
		if r := send(); r.status != http.StatusAccepted || r.body != acceptedOne {
			t.Errorf("%s: %d %s", user, r.status, r.body)
		}
		f.journaled(user + " goal 1")
	}
}

// What is wrong with an event is said, alone and in an array, and nothing is recorded.
func TestBadEvents(t *testing.T) {
	f := newServer(t, nil, purchase).start()
	f.sees("u", "p1")
	f.events.take()
	long := strings.Repeat("a", popup.MaxEventName+1)
	for body, code := range map[string]string{
		`{"event":"purchase"}`:                       "malformed_event",
		`{"uid":"u"}`:                                "malformed_event",
		`{"uid":"u","event":1}`:                      "malformed_event",
		`{"uid":"u","event":"purchase","event":"a"}`: "malformed_event",
		`{"uid":"u","event":"purchase","sig":null}`:  "malformed_event",
		`7`:                                         "malformed_event",
		`{"uid":"","event":"purchase"}`:             "invalid_uid",
		`{"uid":"a\u0000","event":"purchase"}`:      "invalid_uid",
		`{"uid":"u","event":""}`:                    "invalid_event",
		`{"uid":"u","event":"Purchase"}`:            "invalid_event",
		`{"uid":"u","event":"-a"}`:                  "invalid_event",
		fmt.Sprintf(`{"uid":"u","event":%q}`, long): "invalid_event",
	} {
		if r := f.reports(body); r.status != http.StatusBadRequest || r.code() != code {
			t.Errorf("%s: %d %s, want %s", body, r.status, r.body, code)
		}
		r := f.reports(`[` + body + `,{"uid":"v","event":"visit"}]`)
		if want := fmt.Sprintf(`{"accepted":1,"rejected":[{"index":0,"code":%q}]}`, code); r.status != http.StatusAccepted || r.body != want {
			t.Errorf("[%s]: %d %s, want %s", body, r.status, r.body, want)
		}
	}
	one := `{"uid":"u","event":"visit"}`
	for body, code := range map[string]string{
		`{`:       "malformed_json",
		one + one: "malformed_json",
		`[` + strings.Repeat(one+",", 50) + one + `]`: "too_many_events",
	} {
		if r := f.reports(body); r.status != http.StatusBadRequest || r.code() != code {
			t.Errorf("%.40s: %d %s, want %s", body, r.status, r.body, code)
		}
	}
	if r := f.reports("uid=u&uid=u&event=purchase", "Content-Type", "application/x-www-form-urlencoded"); r.code() != "malformed_event" {
		t.Errorf("a form with two ids: %d %s", r.status, r.body)
	}
	if r := f.reports("<a/>", "Content-Type", "text/xml"); r.status != http.StatusUnsupportedMediaType {
		t.Errorf("XML: %d %s", r.status, r.body)
	}
	if r := f.reports(strings.Repeat(" ", maxBodySize+1)); r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d %s", r.status, r.body)
	}
	if r := f.do("GET", "/v1/events", ""); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("GET: %d, Allow %q", r.status, r.header.Get("Allow"))
	}
	if r := f.reports(`[]`); r.status != http.StatusAccepted || r.body != `{"accepted":0,"rejected":[]}` {
		t.Errorf("[]: %d %s", r.status, r.body)
	}
	f.journaled()
}

// With -identity enforce an event needs the signature of its user.
func TestSignedEvents(t *testing.T) {
	for mode, want := range map[Identity]int{IdentityMonitor: http.StatusAccepted, IdentityEnforce: http.StatusUnauthorized} {
		f := newServer(t, func(c *Config) { c.Identity, c.IdentitySecrets = mode, [][]byte{[]byte("id secret")} }, purchase).start()
		f.sees("u", "p1", "&sig="+sign("id secret", "u"))
		f.events.take()
		signed := fmt.Sprintf(`{"uid":"u","event":"purchase","sig":%q}`, sign("id secret", "u"))
		if r := f.reports(signed); r.status != http.StatusAccepted {
			t.Errorf("%s, signed: %d %s", mode, r.status, r.body)
		}
		f.journaled("u goal 1")
		for _, body := range []string{`{"uid":"u","event":"purchase"}`, fmt.Sprintf(`{"uid":"u","event":"purchase","sig":%q}`, sign("id secret", "v"))} {
			if r := f.reports(body); r.status != want {
				t.Errorf("%s, %s: %d %s, want %d", mode, body, r.status, r.body, want)
			}
		}
		if mode == IdentityEnforce {
			f.journaled()
			f.counts(2, "popupd_events_total", "result", "unauthorized")
		}
	}
}

// Events share the limit of actions, and what the journal refuses is told.
func TestLimitsOfEvents(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ActionsPerClient = 2 }, purchase).start()
	f.sees("u", "p1")
	f.events.take()
	f.events.refuse(errFull)
	if r := f.reports(`{"uid":"u","event":"purchase"}`); r.status != http.StatusServiceUnavailable || r.code() != "not_recorded" {
		t.Errorf("refused: %d %s", r.status, r.body)
	}
	f.events.refuse(nil)
	f.counts(1, "popupd_events_total", "result", "refused")
	limited := 0
	for range 60 {
		if r := f.reports(`{"uid":"u","event":"purchase"}`); r.status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 {
		t.Error("no limit")
	}
	f.counts(float64(limited), "popupd_events_total", "result", "limited")
}

// More popups than the journal takes at once may have one goal.
func TestGoalOfManyPopups(t *testing.T) {
	specs := make([]string, 2*maxAppend+1)
	for i := range specs {
		specs[i] = purchase
	}
	f := newServer(t, nil, specs...)
	for i := range specs {
		f.config.Users.Restore([]byte("u"), uint32(i+1), popup.State{ServedAtMS: startMS, AtMS: startMS, Last: popup.Impression})
	}
	if err := f.Record([]popup.SiteEvent{{User: []byte("u"), Name: []byte("purchase")}, {User: []byte("v"), Name: []byte("purchase")}}); err != nil {
		t.Fatal(err)
	}
	if events, appends := f.events.take(); len(events) != len(specs) || appends != 3 {
		t.Errorf("%d events in %d appends, want %d in 3", len(events), appends, len(specs))
	}
	f.counts(1, "popupd_events_total", "result", "recorded")
	f.counts(1, "popupd_events_total", "result", "unmatched")
	f.config.Users.Restore([]byte("w"), 1, popup.State{ServedAtMS: startMS, AtMS: startMS, Last: popup.Impression})
	f.events.refuse(errFull)
	if err := f.Record([]popup.SiteEvent{{User: []byte("w"), Name: []byte("purchase")}}); err == nil {
		t.Error("what the journal refuses is recorded")
	}
}

// FuzzReadEvents: a body is JSON where encoding/json takes it for that, and what is read
// of it as right has an id and a name.
func FuzzReadEvents(f *testing.F) {
	f.Add([]byte(`{"uid":"u","event":"purchase","sig":"00"}`))
	f.Add([]byte(`[{"uid":"\u0075","event":"a"},7,{"uid":"u","uid":"v"},{"x":[{}]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > maxNesting {
			return // may nest deeper than we read
		}
		var e eventScratch
		_, wrong := e.parse(body, false)
		isJSON := json.Valid(bytes.TrimPrefix(body, byteOrderMark))
		if wrong != tooManyEvents && (wrong == malformedJSON) == isJSON {
			t.Fatalf("%q: problem %q, encoding/json takes it for JSON: %v", body, wrong.code(), isJSON)
		}
		for i := range e.items {
			if it := &e.items[i]; wrong == noProblem && it.wrong == noProblem && (it.uid == nil || it.name == nil) {
				t.Fatalf("%q: item %d is read as right, without an id or a name", body, i)
			}
		}
	})
}
