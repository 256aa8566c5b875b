package api_test

import (
	"fmt"
	"strings"
	"testing"
)

const settingsPath = "/v1/admin/settings"

func TestSettings(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *plane{
		"memory": func(t *testing.T) *plane { return newPlane(t) },
		"SQLite": func(t *testing.T) *plane { p, _ := newSQLitePlane(t); return p },
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			p.Want(201, "", "POST", popupsPath, `{"key":"a","tags":["sale"]}`)
			first := p.Want(200, "", "GET", settingsPath, "")
			const defaults = `"version":0,"updated_at":null,"min_gap_sec":0,"caps":[],"holdout":{"percent":0,"salt":""}`
			if first.Header.Get("ETag") != `"0"` || !strings.Contains(string(first.Body), defaults) {
				t.Errorf("at first: ETag %s, %s; want \"0\", %s", first.Header.Get("ETag"), first.Body, defaults)
			}
			p.Want(428, "precondition_required", "PUT", settingsPath, string(first.Body))
			p.Want(412, "stale_version", "PUT", settingsPath, `{}`, "If-Match", `"1"`)

			const caps = `"caps":[{"key":"daily","max":3,"per_sec":86400,"tags":[]},{"key":"sales","max":1,"per_sec":60,"tags":["sale","none"]}]`
			changed := p.Want(200, "", "PUT", settingsPath, `{"min_gap_sec":60,`+caps+`}`, "If-Match", `"0"`, "X-Popupd-Actor", "maria")
			if got, want := warned(t, changed), "/caps/1/tags/1 unknown_tag true"; got != want {
				t.Errorf("warnings %q, want %q", got, want)
			}
			if got := changed.Header.Get("ETag"); got != `"1"` || changed.Header.Get("Popupd-In-Force") != "" {
				t.Errorf("ETag %s, Popupd-In-Force %q", got, changed.Header.Get("Popupd-In-Force"))
			}
			if s := p.snapshots.Current().Settings(); s.Version != 1 || s.MinGapSec != 60 || len(s.Caps) != 2 {
				t.Errorf("in force: %+v", s)
			}
			read := p.Want(200, "", "GET", settingsPath, "")
			if read.Header.Get("ETag") != `"1"` || !strings.Contains(string(read.Body), caps) {
				t.Errorf("read back: ETag %s, %s", read.Header.Get("ETag"), read.Body)
			}

			p.Want(412, "stale_version", "PUT", settingsPath, `{}`, "If-Match", `"0"`)
			p.Want(200, "", "PUT", settingsPath, string(changed.Body), "If-Match", `"1"`) // what was answered may be sent
			p.Want(200, "", "PUT", settingsPath, `{}`, "If-Match", "*")
			if s := p.snapshots.Current().Settings(); s.Version != 3 || s.MinGapSec != 0 || len(s.Caps) != 0 {
				t.Errorf("in force after all was left out: %+v", s)
			}
			entry := p.Want(200, "", "GET", "/v1/admin/audit?limit=3", "").JSON(t)["items"].([]any)[2].(map[string]any)
			if got, want := fmt.Sprint(entry["actor"], " ", entry["object"], " ", entry["from_version"], " ", entry["to_version"]), "maria config:settings 0 1"; got != want {
				t.Errorf("audit: %s, want %s", got, want)
			}
		})
	}
}

// What is refused changes nothing.
func TestWrongSettings(t *testing.T) {
	p := newPlane(t)
	p.Want(422, "invalid_fields", "PUT", settingsPath, `{"caps":[{"key":"a","max":21,"per_sec":1}]}`, "If-Match", "*")
	p.Want(400, "malformed_json", "PUT", settingsPath, `{`, "If-Match", "*")
	if a := p.Want(200, "", "GET", settingsPath, ""); a.Header.Get("ETag") != `"0"` {
		t.Errorf("ETag %s, want \"0\"", a.Header.Get("ETag"))
	}
}
