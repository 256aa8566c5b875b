package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

// newSQLitePlane is a console on the store that popupd has by default.
func newSQLitePlane(t testing.TB) (*plane, *persist.DB) {
	t.Helper()
	p := &plane{t: t}
	db, err := persist.Open(persist.Config{
		SQLite: filepath.Join(t.TempDir(), "popupd.db"), Now: p.Clock, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.open(db)
	return p, db
}

func TestOnSQLite(t *testing.T) {
	p, db := newSQLitePlane(t)
	a := p.Want(201, "", "POST", popupsPath, `{"key":"a","status":"active","variants":[{"key":"x"},{"key":"y","control":true}]}`)
	id := uint32(a.JSON(t)["id"].(float64))
	for i := range 4 {
		p.create(fmt.Sprintf("b%d", i))
	}
	p.Want(409, "key_exists", "POST", popupsPath, `{"key":"a"}`)
	p.Want(412, "stale_version", "PUT", popupsPath+"/a", `{}`, "If-Match", `"2"`)
	p.Want(200, "", "PUT", popupsPath+"/a", string(a.Body), "If-Match", `"1"`, "X-Popupd-Actor", "maria")
	p.Want(200, "", "POST", popupsPath+"/a/pause", "")
	p.Want(200, "", "POST", popupsPath+"/a/rollback", `{"version":1}`)
	p.Want(404, "popup_not_found", "GET", popupsPath+"/none", "")
	p.Want(404, "popup_not_found", "GET", popupsPath+"/none/revisions", "")
	p.Want(404, "popup_not_found", "POST", popupsPath+"/none/activate", "")
	p.Want(200, "", "DELETE", popupsPath+"/b0", "", "If-Match", `"1"`)
	p.Want(409, "archived", "PUT", popupsPath+"/b0", `{}`, "If-Match", `"2"`)
	p.Want(202, "", "DELETE", "/v1/admin/users/"+strings.Repeat("%E7%94%A8", 42), "") // 126 bytes

	first := p.Want(200, "", "GET", popupsPath+"?limit=3&status=active", "").JSON(t)
	second := members(first, "key")
	if next, more := first["next_cursor"].(string); more {
		second = append(second, members(p.Want(200, "", "GET", popupsPath+"?limit=3&status=active&cursor="+next, "").JSON(t), "key")...)
	}
	if d := cmp.Diff([]string{"b1", "b2", "b3"}, second); d != "" {
		t.Errorf("active popups (-want +got):\n%s", d)
	}
	revisions := p.Want(200, "", "GET", popupsPath+"/a/revisions", "").JSON(t)
	if d := cmp.Diff([]string{"4", "3", "2", "1"}, members(revisions, "version")); d != "" {
		t.Errorf("revisions (-want +got):\n%s", d)
	}
	audit := p.Want(200, "", "GET", "/v1/admin/audit?limit=6", "").JSON(t)
	if d := cmp.Diff([]string{"reset", "archive", "rollback", "pause", "update", "create"}, members(audit, "action")); d != "" {
		t.Errorf("audit (-want +got):\n%s", d)
	}
	if got, want := p.snapshots.Current().Revision, int64(9); got != want {
		t.Errorf("revision %d in force, want %d", got, want)
	}

	cursor := p.Want(200, "", "GET", "/v1/admin/events", "").JSON(t)["cursor"].(string)
	at := apitest.Noon.UnixMilli()
	stream := popup.StreamID{1}
	if _, err := db.Register(context.Background(), stream, 1); err != nil {
		t.Fatal(err)
	}
	event := func(seq uint64, user, variant string, a popup.Action) popup.Event {
		return popup.Event{Seq: seq, AtMS: at, ServedAtMS: at, User: []byte(user), Popup: id, Version: 1, Variant: []byte(variant), Action: a, Nth: 1, ReadyAtMS: at}
	}
	batch := popup.Batch{Stream: stream, Last: 4, Events: []popup.Event{
		event(1, "u", "x", popup.Impression), event(2, "v", "x", popup.Impression), event(3, "u", "x", popup.Click), event(4, "w", "y", popup.Control),
	}}
	if _, err := db.Flush(context.Background(), &batch); err != nil {
		t.Fatal(err)
	}
	s := p.stats("?interval=day")
	if s.Totals.Impressions != 2 || s.Totals.Clicks != 1 || s.Totals.Controls != 1 || s.Totals.CTR != 0.5 {
		t.Errorf("totals %+v", s.Totals)
	}
	if len(s.Variants) != 2 || s.Variants[0].Key != "x" || s.Variants[0].Totals.Clicks != 1 || s.Variants[1].Totals.Controls != 1 {
		t.Errorf("variants %+v", s.Variants)
	}
	var exported []string
	for line := range strings.Lines(string(p.Want(200, "", "GET", "/v1/admin/events?limit=3&after="+cursor, "").Body)) {
		var e struct{ ID, Action, UID, Popup, Cursor string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if cursor = e.Cursor; cursor == "" {
			exported = append(exported, e.ID+" "+e.Action+" "+e.UID+" "+e.Popup)
		}
	}
	if d := cmp.Diff([]string{"1-1 impression u a", "1-2 impression v a", "1-3 click u a"}, exported); d != "" {
		t.Errorf("exported (-want +got):\n%s", d)
	}
	rest := string(p.Want(200, "", "GET", "/v1/admin/events?format=csv&after="+cursor, "").Body)
	if lines := strings.Split(rest, "\n"); len(lines) != 4 || !strings.HasPrefix(lines[1], "1-4,") {
		t.Errorf("the rest: %q", rest)
	}
}

// A store that fails is told as such, not as a fault of this server.
func TestSQLiteClosed(t *testing.T) {
	p, db := newSQLitePlane(t)
	p.create("a")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.Want(503, "store_unavailable", "GET", popupsPath+"/a", "")
	p.Want(503, "store_unavailable", "POST", popupsPath, `{"key":"b"}`)
	p.Want(200, "", "GET", "/readyz", "")
}
