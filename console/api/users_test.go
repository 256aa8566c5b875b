package api_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

func TestUser(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.create("b")
	at := apitest.Noon.UnixMilli()
	p.users.states["u-1"] = map[uint32]popup.State{
		2: {Impressions: 1, ServedAtMS: at, Last: popup.Impression, AtMS: at, NextAtMS: popup.Never},
		1: {Impressions: 3, ServedAtMS: at, Acted: popup.Click.Bit() | popup.Dismiss.Bit(), Last: popup.Dismiss, AtMS: at + 1500, ClickUntilMS: at + 60_000, NextAtMS: at + 60_000},
		9: {Last: popup.Click, AtMS: at, NextAtMS: at},
	}
	want := map[string]any{"uid": "u-1", "states": []any{
		map[string]any{
			"popup_id": 1.0, "popup": "a", "impressions": 3.0, "last_impression_at": "2026-03-10T12:34:56Z", "acted": []any{"click", "dismiss"},
			"last_action": "dismiss", "last_action_at": "2026-03-10T12:34:57.5Z", "click_until": "2026-03-10T12:35:56Z", "next_at": "2026-03-10T12:35:56Z",
		},
		map[string]any{
			"popup_id": 2.0, "popup": "b", "impressions": 1.0, "last_impression_at": "2026-03-10T12:34:56Z", "acted": []any{},
			"last_action": "impression", "last_action_at": "2026-03-10T12:34:56Z", "click_until": nil, "next_at": "9999-12-31T23:59:59Z",
		},
		map[string]any{
			"popup_id": 9.0, "popup": "", "impressions": 0.0, "last_impression_at": nil, "acted": []any{},
			"last_action": "click", "last_action_at": "2026-03-10T12:34:56Z", "click_until": nil, "next_at": "2026-03-10T12:34:56Z",
		},
	}, "recent": []any{}}
	if d := cmp.Diff(want, p.Want(200, "", "GET", "/v1/admin/users/u-1", "").JSON(t)); d != "" {
		t.Errorf("state (-want +got):\n%s", d)
	}

	p.Want(202, "", "DELETE", "/v1/admin/users/u-1", "")
	got := p.Want(200, "", "GET", "/v1/admin/users/u-1", "").JSON(t)
	if d := cmp.Diff(map[string]any{"uid": "u-1", "states": []any{}, "recent": []any{}}, got); d != "" {
		t.Errorf("after the reset (-want +got):\n%s", d)
	}
	// Forgetting someone of whom nothing is remembered is no error: other servers or the database may know more.
	p.Want(202, "", "DELETE", "/v1/admin/users/u-1", "")
}

// The latest impressions are those of the popups that were served last, whatever else is remembered.
func TestRecentImpressions(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	at := apitest.Noon.UnixMilli()
	states := map[uint32]popup.State{50: {Last: popup.Click, AtMS: at}} // it is not known when it was served
	p.store.served = map[uint32][]popup.Served{50: {{PopupID: 50}}}
	for id := uint32(1); id <= 30; id++ {
		states[id] = popup.State{ServedAtMS: at - int64(id), Last: popup.Impression, AtMS: at}
		p.store.served[id] = []popup.Served{{PopupID: id, Version: 2, Variant: "b", AtMS: at - int64(id)}}
	}
	p.store.served[1][0].Acted = popup.Click.Bit() | popup.View.Bit() | popup.GoalBit
	p.store.served[2][0].Acted = popup.ControlBit
	p.users.states["u"] = states
	recent := p.Want(200, "", "GET", "/v1/admin/users/u", "").JSON(t)["recent"].([]any)
	if len(recent) != 20 || recent[19].(map[string]any)["popup_id"] != 20.0 {
		t.Fatalf("%d impressions: %v", len(recent), recent)
	}
	want := []any{
		map[string]any{"served_at": "2026-03-10T12:34:55.999Z", "popup_id": 1.0, "popup": "a", "version": 2.0, "variant": "b", "control": false, "acted": []any{"click", "view", "goal"}},
		map[string]any{"served_at": "2026-03-10T12:34:55.998Z", "popup_id": 2.0, "popup": "", "version": 2.0, "variant": "b", "control": true, "acted": []any{}},
	}
	if d := cmp.Diff(want, recent[:2]); d != "" {
		t.Errorf("recent (-want +got):\n%s", d)
	}

	// What is remembered does not need the store.
	p.store.down = errors.New("down")
	a := p.Want(200, "", "GET", "/v1/admin/users/u", "").JSON(t)
	if a["recent"] != nil || len(a["states"].([]any)) != 31 || !strings.Contains(p.Logged(), "latest impressions") {
		t.Errorf("without the store: %v, log %s", a, p.Logged())
	}
}

func TestUserIDs(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct{ path, uid string }{
		{"a%20b", "a b"}, {"a%2Fb", "a/b"}, {"%E7%94%A8", "用"}, {"a%25", "a%"}, {"a+b", "a+b"}, {"a%2F%2Fb", "a//b"},
		{".", "."}, {"..", ".."}, {"%2E", "."}, {"%2e%2E", ".."}, {".%2e", ".."}, {"...", "..."}, {"..%2F..", "../.."}, {strings.Repeat("u", 128), strings.Repeat("u", 128)},
	} {
		a := p.Want(200, "", "GET", "/v1/admin/users/"+c.path, "")
		if got := a.JSON(t)["uid"]; got != c.uid {
			t.Errorf("%s: uid %q, want %q", c.path, got, c.uid)
		}
	}
	for _, path := range []string{"%00", "a%0Ab", "%FF", strings.Repeat("u", 129)} {
		p.Want(400, "invalid_parameter", "GET", "/v1/admin/users/"+path, "")
		p.Want(400, "invalid_parameter", "DELETE", "/v1/admin/users/"+path, "")
	}
	p.Want(404, "not_found", "GET", "/v1/admin/users/", "")
	p.Want(404, "not_found", "GET", "/v1/admin/users/../popups", "") // a path is not followed
}

// What a path can't carry everywhere, the query can.
func TestUserByQuery(t *testing.T) {
	p := newPlane(t)
	const users = "/v1/admin/users"
	for _, uid := range []string{".", "..", "a/b", "a b", "用", "a&uid=b", "+"} {
		p.users.states[uid] = map[uint32]popup.State{1: {Last: popup.Click}}
		query := "?" + url.Values{"uid": {uid}}.Encode()
		a := p.Want(200, "", "GET", users+query, "").JSON(t)
		if a["uid"] != uid || len(a["states"].([]any)) != 1 {
			t.Errorf("%s: %v", query, a)
		}
		p.Want(202, "", "DELETE", users+query, "")
		if len(p.users.states) != 0 || p.store.audit[len(p.store.audit)-1].Object != "user:"+uid {
			t.Errorf("%s: %d users are left after its reset, and the audit trail says %+v", query, len(p.users.states), p.store.audit)
		}
	}
	for _, query := range []string{"", "?uid=", "?uid=a&uid=b", "?uid=%00", "?uid=%FF", "?uid=%zz", "?uid=" + strings.Repeat("u", 129)} {
		p.Want(400, "invalid_parameter", "GET", users+query, "")
		p.Want(400, "invalid_parameter", "DELETE", users+query, "")
	}
	// The query is not looked at where the path names a user.
	if a := p.Want(200, "", "GET", users+"/a?uid=b", ""); a.JSON(t)["uid"] != "a" {
		t.Errorf("uid=b in the query: %s", a.Body)
	}
}

func TestResetIsNotRecorded(t *testing.T) {
	p := newPlane(t)
	p.users.states["u"] = map[uint32]popup.State{1: {Last: popup.Click}}
	p.users.full = errors.New("journal full")
	a := p.Want(503, "journal_unavailable", "DELETE", "/v1/admin/users/u", "")
	if a.Header.Get("Retry-After") == "" || !strings.Contains(p.Logged(), "journal full") {
		t.Errorf("Retry-After %q, log %q", a.Header.Get("Retry-After"), p.Logged())
	}

	// Without a line in the audit trail nobody is forgotten.
	p.users.full, p.store.down = nil, errors.New("down")
	p.Want(503, "store_unavailable", "DELETE", "/v1/admin/users/u", "")
	if len(p.users.states["u"]) != 1 {
		t.Error("the user was reset without an audit line")
	}
}

// While the state is being restored, what is remembered is not all there is.
func TestUsersNeedTheState(t *testing.T) {
	p := newPlane(t)
	p.SetReady(errors.New("restoring the users' state"))
	p.Want(503, "not_ready", "GET", "/v1/admin/users/u", "")
	p.Want(503, "not_ready", "DELETE", "/v1/admin/users/u", "")
}

// What a user has seen whom this server cannot look up is not said to be nothing.
func TestUsersWhoCannotBeLookedUp(t *testing.T) {
	p := newPlane(t)
	p.users.away = errors.New("the database is away")
	p.Want(503, "store_unavailable", "GET", "/v1/admin/users/u", "")
	p.Want(503, "store_unavailable", "POST", "/v1/admin/explain", `{"uid":"u"}`)
}
