package handler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
)

// posts sends a POST of a poll and fails the test unless it is answered with 200.
func (f *fixture) posts(body string) *servedPopups {
	f.Helper()
	r := f.do("POST", "/v1/poll", body, "Content-Type", "application/json")
	if r.status != http.StatusOK {
		f.Fatalf("%s: %d %s", body, r.status, r.body)
	}
	var b servedPopups
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		f.Fatalf("%s: %s: %v", body, r.body, err)
	}
	if next := r.header.Get("Popup-Next-Poll"); next != fmt.Sprint(b.NextPollSec) {
		f.Errorf("%s: Popup-Next-Poll = %q in the answer %s", body, next, r.body)
	}
	return &b
}

// servedPopups is the body of a 200 to a POST.
type servedPopups struct {
	Popups      []servedBody
	NextPollSec int `json:"next_poll_sec"`
	Triggers    []string
	Withdraw    []string
}

// shown returns the popups as "key in placement".
func (b *servedPopups) shown() (out []string) {
	for _, p := range b.Popups {
		out = append(out, p.Popup.Key+" in "+p.Popup.Placement)
	}
	return out
}

// shows fails the test unless a POST is answered with these popups.
func (f *fixture) shows(body string, want ...string) *servedPopups {
	f.Helper()
	b := f.posts(body)
	if got := b.shown(); !slices.Equal(got, want) {
		f.Fatalf("%s shows %q, want %q", body, got, want)
	}
	return b
}

func TestPostAnswers(t *testing.T) {
	f := newServer(t, nil, `"placements":["default","home"],"variants":[{"key":"b","content":{"title":"<Hi> \"you\""}}]`).start()
	for _, contentType := range []string{"text/plain;charset=UTF-8", "application/json"} {
		r := f.do("POST", "/v1/poll?uid=not+read&placement=home", `{"uid":"u"}`, "Content-Type", contentType)
		next := r.header.Get("Popup-Next-Poll")
		head, tail := `{"popups":[{"popup":{"id":1,"key":"p1","version":1,"variant":"b","placement":"default","content":`, `"}],"next_poll_sec":`+next+`,"triggers":[],"withdraw":[]}`
		if contentType == "application/json" { // the second
			head, tail = `{"popups":[],"next_poll_sec":`, `,"triggers":[],"withdraw":[]}`
		}
		if r.status != http.StatusOK || !strings.HasPrefix(r.body, head) || !strings.HasSuffix(r.body, tail) {
			t.Errorf("%d %s, want %s…%s", r.status, r.body, head, tail)
		}
		wantNextPoll(t, r)
		wantHeader(t, r, map[string]string{
			"Content-Type": "application/json", "Cache-Control": "private, no-cache", "Access-Control-Allow-Origin": "*",
			"Access-Control-Expose-Headers": "Popup-Next-Poll, Popup-Triggers, Retry-After",
		})
	}
	f.journaled("u impression 1")
	f.counts(1, "popupd_decisions_total", "outcome", "served")
	f.counts(1, "popupd_decisions_total", "outcome", "none")
	f.counts(1, "popupd_rejections_total", "reason", "cooldown_impression")
	f.counts(2, "popupd_poll_duration_seconds")
}

// One decision over all placements, recorded in one append.
func TestPostSeveralPlacements(t *testing.T) {
	f := newServer(t, nil,
		`"placements":["side","top"]`, `"priority":1,"placements":["top"]`,
		`"priority":2,"placements":["end"],"variants":[{"key":"none","control":true}]`, `"placements":["end"]`, `"placements":["top"]`,
	).start()
	b := f.shows(`{"uid":"u","placements":["top","nowhere","side","end"]}`, "p2 in top", "p1 in side", "p4 in end")
	events, appends := f.events.take()
	if len(events) != 4 || appends != 1 {
		t.Errorf("%d events in %d appends, want 4 in 1", len(events), appends)
	}
	f.counts(1, "popupd_decisions_total", "outcome", "served")
	for _, p := range b.Popups {
		f.does("click", p.Token)
	}
	f.journaled("u click 2", "u click 1", "u click 4")
	f.shows(`{"uid":"u","placements":["top","side"]}`, "p5 in top")
	f.shows(`{"uid":"u","placements":["top","side"]}`)
}

// The least gap between popups goes to the highest priority.
func TestPostHoldsTheGap(t *testing.T) {
	f := newServer(t, func(c *Config) { c.Users = frequency.New(frequency.Config{MinGap: time.Hour}) }, `"placements":["top"]`, `"priority":1,"placements":["side"]`, `"placements":["end"],"frequency":{"ignore_min_gap":true}`).start()
	f.shows(`{"uid":"u","placements":["top","side","end"]}`, "p2 in side", "p3 in end")
	f.clock.advance(time.Hour + time.Second)
	f.shows(`{"uid":"u","placements":["top","side","end"]}`, "p1 in top")
}

// When the journal refuses, all that was decided is taken back.
func TestPostRefusedByJournal(t *testing.T) {
	f := newServer(t, nil, `"placements":["top"]`, `"placements":["side"]`, `"priority":1,"placements":["top"],"variants":[{"key":"none","control":true}]`).start()
	f.events.refuse(errFull)
	const body = `{"uid":"u","placements":["top","side"]}`
	f.shows(body)
	f.counts(1, "popupd_decisions_total", "outcome", "unrecorded")
	f.events.refuse(nil)
	f.shows(body, "p1 in top", "p2 in side")
	f.journaled("u control 3", "u impression 1", "u impression 2")
}

// Attributes that are no strings are read as they are written.
func TestPostAttributes(t *testing.T) {
	f := newServer(t, nil, everyTime+`,"targeting":{"all":[{"attr":"n","op":"gt","value":5},{"attr":"beta","op":"eq","value":"true"},{"attr":"plan","op":"in","value":["pro"]},{"attr":"none","op":"not_exists"}]}`).start()
	f.shows(`{"uid":"u","attributes":{"n":5.5,"beta":true,"plan":"\u0070ro"}}`, "p1 in default")
	f.shows(`{"uid":"u","attributes":{"n":5,"beta":true,"plan":"pro"}}`)
	f.shows(`{"uid":"u","attributes":{"n":6,"beta":false,"plan":"pro"}}`)
	f.shows(`{"uid":"u","attributes":{"n":6,"beta":true,"plan":"pro","none":0}}`)
}

// What a page shows of a popup that has been paused or archived, or has ended, is to
// leave the screen.
func TestPostWithdraws(t *testing.T) {
	ends := time.UnixMilli(startMS).Add(time.Hour).UTC().Format(time.RFC3339)
	later := `"schedule":{"end_at":"` + ends + `"}`
	f := newServer(t, nil, "", "", "", later, `"schedule":{"hours":[["00:00","00:01"]]},"status":"active"`).start()
	var tokens []string
	for i := range 6 { // the last one is of another server's popup
		token := token{user: []byte("u"), popup: uint32(i + 1), version: 1, variant: []byte("a"), servedAtMS: startMS}
		tokens = append(tokens, string(mustKeyring(t, "secret").append(nil, &token)))
	}
	withdrawn := func(showing ...string) []string {
		t.Helper()
		body, err := json.Marshal(map[string]any{"uid": "v", "placements": []string{"nowhere"}, "showing": showing})
		if err != nil {
			t.Fatal(err)
		}
		return f.posts(string(body)).Withdraw
	}
	if got := withdrawn(tokens...); len(got) != 0 {
		t.Errorf("withdrawn of what is active: %q", got)
	}
	newer := token{user: []byte("u"), popup: 2, version: 3, variant: []byte("a"), servedAtMS: startMS}
	showing := append([]string{"", "x", tokens[1] + "A", string(mustKeyring(t, "another secret").append(nil, &newer)), string(mustKeyring(t, "secret").append(nil, &newer))}, tokens...)
	load(t, f.store, 2, "", `"status":"paused"`, "archived", later, "")
	if got := withdrawn(showing...); !slices.Equal(got, tokens[1:3]) {
		t.Errorf("withdrawn %q, want what is paused and archived: %q", got, tokens[1:3])
	}
	f.clock.advance(time.Hour)
	if got := withdrawn(showing...); !slices.Equal(got, tokens[1:4]) {
		t.Errorf("withdrawn %q, want what has ended too: %q", got, tokens[1:4])
	}
	load(t, f.store, 2, "", "", "", "", "", "archived")
	if got := withdrawn(tokens...); !slices.Equal(got, tokens[5:]) {
		t.Errorf("withdrawn %q, want the newest popup, which is archived now: %q", got, tokens[5:])
	}
	f.journaled()
}

func TestPostProblems(t *testing.T) {
	f := newServer(t, nil, "").start()
	const asJSON = "application/json"
	errors := []struct {
		contentType, body string
		status            int
		code              string
	}{
		{asJSON, ``, 400, "malformed_json"},
		{asJSON, `{"uid":"u"`, 400, "malformed_json"},
		{asJSON, `[{"uid":"u"}]`, 400, "malformed_poll"},
		{asJSON, `{"uid":7}`, 400, "malformed_poll"},
		{asJSON, `{"uid":"u","uid":"u"}`, 400, "malformed_poll"},
		{asJSON, `{}`, 400, "invalid_uid"},
		{asJSON, `{"uid":"\n"}`, 400, "invalid_uid"},
		{asJSON, `{"uid":"u","rid":"12345678 "}`, 400, "invalid_rid"},
		{asJSON, `{"uid":"u","prior_uid":"u"}`, 400, "invalid_prior_uid"},
		{asJSON, `{"uid":"u","placements":[]}`, 400, "invalid_placements"},
		{asJSON, `{"uid":"u","placements":["a","a"]}`, 400, "invalid_placements"},
		{asJSON, `{"uid":"u","placements":[` + names(9) + `]}`, 400, "invalid_placements"},
		{asJSON, `{"uid":"u","attributes":{"tags":[["a","b"]]}}`, 400, "invalid_attribute"},
		{asJSON, `{"uid":"u","attributes":{` + members(33) + `}}`, 400, "too_many_attributes"},
		{asJSON, `{"uid":"u","showing":[` + names(17) + `]}`, 400, "invalid_showing"},
		{asJSON, `{"uid":"u"}` + strings.Repeat(" ", maxPollBody), 413, "body_too_large"},
		{"application/xml", `{"uid":"u"}`, 415, "unsupported_media_type"},
		{"application/x-www-form-urlencoded", `uid=u`, 415, "unsupported_media_type"},
	}
	for _, c := range errors {
		r := f.do("POST", "/v1/poll", c.body, "Content-Type", c.contentType)
		if r.status != c.status || r.code() != c.code {
			t.Errorf("%s %.80s: %d %s, want %d %s", c.contentType, c.body, r.status, r.body, c.status, c.code)
		}
		wantNextPoll(t, r)
	}
	if r := f.do("POST", "/v1/poll", `{"uid":"u"}`, "Content-Encoding", "gzip"); r.status != 415 || r.code() != "unsupported_content_encoding" {
		t.Errorf("compressed: %d %s", r.status, r.body)
	}
	f.journaled()
	f.counts(float64(len(errors)+1), "popupd_decisions_total", "outcome", "invalid")
}

// The limits on polls are those of GET.
func TestPostLimits(t *testing.T) {
	t.Run("not ready", func(t *testing.T) {
		f := newServer(t, func(c *Config) { c.Ready = func() bool { return false } }, "").start()
		r := f.do("POST", "/v1/poll", `{"uid":"u"}`)
		if r.status != http.StatusServiceUnavailable || r.code() != "not_ready" || r.header.Get("Retry-After") == "" {
			t.Errorf("%+v", r)
		}
		f.counts(1, "popupd_decisions_total", "outcome", "shed")
	})
	t.Run("new ids", func(t *testing.T) {
		f := newServer(t, func(c *Config) { c.NewIDsPerClient = 1 }, `"placements":["top"]`, `"placements":["side"]`).start()
		shown := 0
		for i := range 20 {
			shown += min(1, len(f.posts(fmt.Sprintf(`{"uid":"u%d","placements":["top","side"]}`, i)).Popups))
		}
		if shown == 0 || shown == 20 {
			t.Errorf("%d of 20 new users are shown something, want some", shown)
		}
		f.counts(float64(20-shown), "popupd_new_ids_limited_total")
		f.counts(float64(20-shown), "popupd_decisions_total", "outcome", "shed")
	})
	t.Run("identity", func(t *testing.T) {
		f := newServer(t, func(c *Config) { c.Identity, c.IdentitySecrets = IdentityEnforce, [][]byte{[]byte("id secret")} }, "").start()
		for _, body := range []string{`{"uid":"u"}`, `{"uid":"u","sig":null}`, `{"uid":"u","sig":"` + sign("id secret", "v") + `"}`} {
			if r := f.do("POST", "/v1/poll", body); r.status != http.StatusUnauthorized || r.code() != "invalid_signature" {
				t.Errorf("%s: %d %s", body, r.status, r.body)
			}
		}
		f.shows(`{"uid":"u","sig":"`+sign("id secret", "u")+`"}`, "p1 in default")
		f.counts(3, "popupd_decisions_total", "outcome", "unauthorized")
	})
	t.Run("origins", func(t *testing.T) {
		f := newServer(t, func(c *Config) { c.AllowOrigins = []string{"https://a.example", "https://b.example"} }, "").start()
		r := f.do("POST", "/v1/poll", `{"uid":"u"}`, "Content-Type", "text/plain", "Origin", "https://c.example")
		if r.status != http.StatusForbidden || r.code() != "origin_not_allowed" {
			t.Errorf("%d %s", r.status, r.body)
		}
		wantNextPoll(t, r)
		f.journaled()
		r = f.do("POST", "/v1/poll", `{"uid":"u"}`, "Content-Type", "text/plain", "Origin", "https://b.example")
		if r.status != http.StatusOK {
			t.Errorf("%d %s", r.status, r.body)
		}
		wantHeader(t, r, map[string]string{"Access-Control-Allow-Origin": "https://b.example", "Access-Control-Allow-Credentials": "true"})
	})
	t.Run("overload", func(t *testing.T) {
		f := newServer(t, func(c *Config) { c.ShedAfter = time.Hour }, "")
		f.overload.shedding.Store(true)
		ctx := newContext(t, postPoll(func(*fixture, int) string { return pollBody })(f, 0))
		ctx.Init2(&conn{Conn: peer{}, age: time.Second}, nil, false)
		f.handle(ctx)
		if got := ctx.Response.StatusCode(); got != http.StatusServiceUnavailable {
			t.Errorf("%d, want 503", got)
		}
		f.counts(1, "popupd_decisions_total", "outcome", "shed")
	})
}
