package api_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

const exportPath = "/v1/admin/events"

// exportedEvents are three events, of which one is of a user with an awkward id.
func exportedEvents() []popup.CountedEvent {
	at := apitest.Noon.UnixMilli()
	return []popup.CountedEvent{
		{StreamNo: 1, Seq: 7, AtMS: at, User: `a,"b<c>`, PopupID: 3, Popup: "sale", Version: 2, Variant: "x", Action: popup.Impression, ServedAtMS: at, Nth: 1},
		{StreamNo: 1, Seq: 9, AtMS: at + 5, User: "", PopupID: 3, Popup: "sale", Version: 2, Variant: "x", Action: popup.Goal, ServedAtMS: at},
		{StreamNo: 2, Seq: 1, AtMS: at + 60_000, Action: popup.Reset},
	}
}

func TestExport(t *testing.T) {
	p := newPlane(t)
	p.store.events = exportedEvents()
	at := apitest.Noon.Format("2006-01-02T15:04")
	answer := p.Want(200, "", "GET", exportPath, "")
	if got, want := answer.Header.Get("Content-Type"), "application/x-ndjson"; got != want {
		t.Errorf("Content-Type %q, want %q", got, want)
	}
	seconds := apitest.Noon.Format(":05")
	want := []string{
		`{"id":"1-7","at":"` + at + seconds + `Z","action":"impression","uid":"a,\"b<c>","popup_id":3,"popup":"sale","version":2,"variant":"x","served_at":"` + at + seconds + `Z","nth":1}`,
		`{"id":"1-9","at":"` + at + seconds + `.005Z","action":"goal","uid":"","popup_id":3,"popup":"sale","version":2,"variant":"x","served_at":"` + at + seconds + `Z","nth":0}`,
		`{"cursor":"2"}`,
		`{"id":"2-1","at":"` + apitest.Noon.Add(60e9).Format("2006-01-02T15:04:05Z") + `","action":"reset","uid":"","popup_id":0,"popup":"","version":0,"variant":"","served_at":null,"nth":0}`,
		`{"cursor":"3"}`,
	}
	if d := cmp.Diff(want, strings.Split(strings.TrimSpace(string(answer.Body)), "\n")); d != "" {
		t.Errorf("ndjson (-want +got):\n%s", d)
	}
	if got, want := string(p.Want(200, "", "GET", exportPath+"?after=3", "").Body), `{"cursor":"3"}`+"\n"; got != want {
		t.Errorf("after the end: %q, want %q", got, want)
	}

	answer = p.Want(200, "", "GET", exportPath+"?format=csv&after=1&limit=1", "")
	rows, err := csv.NewReader(bytes.NewReader(answer.Body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{
		{"id", "at", "action", "uid", "popup_id", "popup", "version", "variant", "served_at", "nth", "cursor"},
		{"1-9", at + seconds + ".005Z", "goal", "", "3", "sale", "2", "x", at + seconds + "Z", "0", ""},
		{"", "", "", "", "", "", "", "", "", "", "2"},
	}, rows); d != "" {
		t.Errorf("csv (-want +got):\n%s", d)
	}
	p.store.events = nil
	if got, want := string(p.Want(200, "", "GET", exportPath, "").Body), `{"cursor":""}`+"\n"; got != want {
		t.Errorf("of nothing: %q, want %q", got, want)
	}
}

func TestExportRefuses(t *testing.T) {
	p := newPlane(t)
	for _, query := range []string{"?format=xml", "?limit=0", "?limit=100001", "?limit=ten", "?limit=", "?after=nonsense"} {
		p.Want(400, "invalid_parameter", "GET", exportPath+query, "")
	}
	p.Want(410, "cursor_lost", "GET", exportPath+"?after=lost", "")
	p.store.down = errors.New("gone")
	p.Want(503, "store_unavailable", "GET", exportPath, "")
}

// An answer that the store does not finish is cut off, so that no client takes it for whole.
func TestExportCutOff(t *testing.T) {
	p := newPlane(t)
	p.store.events, p.store.cutOff = exportedEvents(), errors.New("gone")
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+exportPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil || !strings.HasSuffix(string(body), `{"cursor":"2"}`+"\n") {
		t.Errorf("%q, %v; want the first events with their cursor, and an error", body, err)
	}
}
