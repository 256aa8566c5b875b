package lint

import (
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

func TestCheckSettings(t *testing.T) {
	snap, _ := snapshot.Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{
		{ID: 1, Version: 1, Key: "p", Spec: []byte(`{"key":"p","tags":["a","b"]}`)},
	}}, nil)
	for settings, want := range map[string]string{
		`{}`:                            "",
		`{"holdout":{"percent":100}}`:   "/holdout/percent all_held_out",
		`{"holdout":{"percent":99.99}}`: "",

		`{"caps":[{"key":"x","max":1,"per_sec":1,"tags":["a","c"]}]}`: "/caps/0/tags/1 unknown_tag",

		`{"caps":[{"key":"x","max":3,"per_sec":60},{"key":"y","max":3,"per_sec":60}]}`:                           "/caps/1 redundant_cap",
		`{"caps":[{"key":"x","max":3,"per_sec":60},{"key":"y","max":2,"per_sec":60}]}`:                           "/caps/0 redundant_cap",
		`{"caps":[{"key":"x","max":3,"per_sec":60},{"key":"y","max":3,"per_sec":61}]}`:                           "/caps/0 redundant_cap",
		`{"caps":[{"key":"x","max":3,"per_sec":60},{"key":"y","max":2,"per_sec":59}]}`:                           "",
		`{"caps":[{"key":"x","max":3,"per_sec":60},{"key":"y","max":4,"per_sec":61}]}`:                           "",
		`{"caps":[{"key":"x","max":3,"per_sec":60},{"key":"y","max":3,"per_sec":60,"tags":["a"]}]}`:              "/caps/1 redundant_cap",
		`{"caps":[{"key":"x","max":3,"per_sec":60},{"key":"y","max":2,"per_sec":60,"tags":["a"]}]}`:              "",
		`{"caps":[{"key":"x","max":3,"per_sec":60,"tags":["a"]},{"key":"y","max":3,"per_sec":60,"tags":["b"]}]}`: "",

		`{"caps":[{"key":"x","max":3,"per_sec":60,"tags":["a"]},{"key":"y","max":3,"per_sec":60,"tags":["b","a"]}]}`: "/caps/0 redundant_cap",
	} {
		s, err := popup.DecodeSettings([]byte(settings))
		if err != nil {
			t.Fatalf("%s: %v", settings, err)
		}
		var got []string
		for _, w := range CheckSettings(&s, snap) {
			if !w.Proved || w.Detail == "" {
				t.Errorf("%s: %+v", settings, w)
			}
			got = append(got, w.Pointer+" "+string(w.Code))
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%s: warnings %q, want %q", settings, got, want)
		}
	}
}
