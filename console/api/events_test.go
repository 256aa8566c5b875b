package api_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const eventsPath = "/v1/events"

// Backends report up to 1,000 events at once; what is wrong with some is said of each.
func TestReportEvents(t *testing.T) {
	p := newPlane(t)
	one := p.Want(202, "", "POST", eventsPath, `{"uid":"u","event":"purchase","more":{"uid":[1]},"UID":7}`)
	if d := cmp.Diff(map[string]any{"accepted": 1.0, "rejected": []any{}}, one.JSON(t)); d != "" {
		t.Errorf("one (-want +got):\n%s", d)
	}
	many := p.Want(202, "", "POST", eventsPath, `[{"uid":"v","event":"purchase"},7,{"uid":"v"},{"uid":"","event":"a"},{"uid":"v","event":"A"},{"uid":"用户","event":"b.c_d-1"}]`)
	want := map[string]any{"accepted": 2.0, "rejected": []any{
		map[string]any{"index": 1.0, "code": "malformed_event"}, map[string]any{"index": 2.0, "code": "malformed_event"},
		map[string]any{"index": 3.0, "code": "invalid_uid"}, map[string]any{"index": 4.0, "code": "invalid_event"},
	}}
	if d := cmp.Diff(want, many.JSON(t)); d != "" {
		t.Errorf("several (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"u purchase", "v purchase", "用户 b.c_d-1"}, p.events.reported); d != "" {
		t.Errorf("recorded (-want +got):\n%s", d)
	}
	p.Want(202, "", "POST", eventsPath, "["+strings.Repeat(`{"uid":"u","event":"a"},`, 999)+`{"uid":"u","event":"a"}]`)
}

func TestBadEvents(t *testing.T) {
	p := newPlane(t)
	for body, code := range map[string]string{
		`{`: "malformed_json", `"a"`: "malformed_event", `{"uid":1,"event":"a"}`: "malformed_event", `{"uid":"u","event":"A"}`: "invalid_event",
		`{"uid":"a\nb","event":"a"}`: "invalid_uid", "{\"uid\":\"a\xff\",\"event\":\"a\"}": "invalid_uid", "{\"uid\":\"a\",\"event\":\"\xff\"}": "invalid_event",
		`{"uid":"u","event":"a","uid":"u"}`: "malformed_event", `{"uid":"u","event":"a","\u0075id":"v"}`: "malformed_event",
		`{"UID":"u","event":"a"}`: "malformed_event", `{"uid":"u","Event":"a"}`: "malformed_event", `{"uid":null,"event":"a"}`: "malformed_event",
		`null`: "malformed_event", `{}`: "malformed_event",
		"[" + strings.Repeat(`{"uid":"u","event":"a"},`, 1000) + `{"uid":"u","event":"a"}]`: "too_many_events",
	} {
		p.Want(400, code, "POST", eventsPath, body)
	}
	p.Want(415, "unsupported_media_type", "POST", eventsPath, "uid=u&event=a", "Content-Type", "application/x-www-form-urlencoded")
	if len(p.events.reported) > 0 {
		t.Errorf("recorded %q", p.events.reported)
	}
	p.events.full = errors.New("full")
	p.Want(503, "journal_unavailable", "POST", eventsPath, `{"uid":"u","event":"a"}`)
}
