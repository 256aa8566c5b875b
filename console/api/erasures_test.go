package api_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

func TestErasure(t *testing.T) {
	p := newPlane(t)
	a := p.Want(202, "", "DELETE", "/v1/admin/users/u-1", "")
	const url = "/v1/admin/erasures/1"
	if got := a.Header.Get("Location"); got != url || a.JSON(t)["id"] != 1.0 {
		t.Fatalf("Location %q, body %s", got, a.Body)
	}
	kept := func(where string, until any) map[string]any { return map[string]any{"where": where, "until": until} }
	wants := func(state string, done any, places ...any) {
		t.Helper()
		want := map[string]any{"id": 1.0, "state": state, "requested_at": "2026-03-10T12:34:56Z", "done_at": done, "kept": append([]any{}, places...)}
		if d := cmp.Diff(want, p.Want(200, "", "GET", url, "").JSON(t)); d != "" {
			t.Errorf("erasure (-want +got):\n%s", d)
		}
	}
	wants("pending", nil, kept("events", nil), kept("journals", nil), kept("erasures", nil),
		kept("samples", "2026-03-11T12:49:56Z"), kept("dumps", "2026-03-17T12:34:56Z"), kept("audit", nil))
	done := apitest.Noon.Add(3 * time.Minute).UnixMilli()
	p.store.erased = map[int64]popup.Erasure{1: {ID: 1, AskedMS: apitest.Noon.UnixMilli(), DoneMS: done, Audited: true}}
	wants("done", "2026-03-10T12:37:56Z", kept("journals", "2026-03-10T14:34:56Z"), kept("erasures", "2026-03-17T12:37:56Z"),
		kept("samples", "2026-03-11T12:49:56Z"), kept("dumps", "2026-03-17T12:34:56Z"), kept("audit", nil))
	p.Advance(25 * time.Hour)
	wants("done", "2026-03-10T12:37:56Z", kept("erasures", "2026-03-17T12:37:56Z"), kept("dumps", "2026-03-17T12:34:56Z"), kept("audit", nil))
	p.Advance(8 * 24 * time.Hour)
	wants("done", "2026-03-10T12:37:56Z", kept("audit", nil))
	p.store.erased[1] = popup.Erasure{ID: 1, AskedMS: apitest.Noon.UnixMilli(), DoneMS: done}
	wants("done", "2026-03-10T12:37:56Z")
}

func TestErasureRefused(t *testing.T) {
	p := newPlane(t)
	for _, id := range []string{"0", "-1", "x", "1.5", strings.Repeat("9", 20)} {
		p.Want(400, "invalid_parameter", "GET", "/v1/admin/erasures/"+id, "")
	}
	p.Want(404, "erasure_not_found", "GET", "/v1/admin/erasures/7", "")
	p.store.down = errors.New("the store is away")
	p.Want(503, "store_unavailable", "GET", "/v1/admin/erasures/7", "")
}
