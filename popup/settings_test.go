package popup

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fullSettings have a value of their own in every field.
const fullSettings = `{"min_gap_sec":3600,"caps":[{"key":"daily","max":3,"per_sec":86400,"tags":[]},` +
	`{"key":"sales-month","max":20,"per_sec":2592000,"tags":["sale","Ünt <b>"]}],"holdout":{"percent":2.5,"salt":"2026"}}`

func TestDecodeSettings(t *testing.T) {
	defaults, err := DecodeSettings([]byte(`{"version":7,"updated_at":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(defaults.Encode()), `{"min_gap_sec":0,"caps":[],"holdout":{"percent":0,"salt":""}}`; got != want {
		t.Errorf("the defaults are %s, want %s", got, want)
	}
	if got, want := string(Settings{}.Encode()), string(defaults.Encode()); got != want {
		t.Errorf("the zero value is %s, want the defaults", got)
	}
	full, err := DecodeSettings([]byte(fullSettings))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(full.Encode()); got != fullSettings {
		t.Errorf("got  %s\nwant %s", got, fullSettings)
	}
	if c := full.Caps[1]; c.Covers([]string{"a"}) || !c.Covers([]string{"a", "sale"}) || c.Covers(nil) || !full.Caps[0].Covers(nil) {
		t.Error("a cap with tags covers popups with one of them, a cap without covers all")
	}
	if none, sale := full.Covering(nil), full.Covering([]string{"sale"}); none != 1 || sale != 3 {
		t.Errorf("caps %b cover what has no tags and %b what is a sale, want 1 and 11", none, sale)
	}
}

func TestDecodeSettingsRefuses(t *testing.T) {
	tags := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`"t%d"`, i)
		}
		return strings.Join(list, ",")
	}
	caps := make([]string, MaxCaps+1)
	for i := range caps {
		caps[i] = fmt.Sprintf(`{"key":"c%d","max":1,"per_sec":1}`, i)
	}
	for body, want := range map[string][]string{
		`[]`:                             {""},
		`{"min_gap_sec":-1}`:             {"/min_gap_sec"},
		`{"min_gap_sec":1.5}`:            {"/min_gap_sec"},
		`{"min_gap_sec":"1"}`:            {"/min_gap_sec"},
		`{"min_gap_sec":1e300}`:          {"/min_gap_sec"},
		`{"gap":1}`:                      {"/gap"},
		`{"caps":{}}`:                    {"/caps"},
		`{"caps":[null]}`:                {"/caps/0"},
		`{"caps":[{}]}`:                  {"/caps/0/key", "/caps/0/max", "/caps/0/per_sec"},
		`{"holdout":{"percent":100.01}}`: {"/holdout/percent"},
		`{"holdout":{"percent":-1,"salt":"\u0000"}}`:                                  {"/holdout/percent", "/holdout/salt"},
		`{"holdout":{"percent":0.001,"who":1}}`:                                       {"/holdout/who", "/holdout/percent"},
		`{"holdout":{"salt":"` + strings.Repeat("s", MaxSalt+1) + `"}}`:               {"/holdout/salt"},
		`{"caps":[{"key":"Daily","max":0,"per_sec":0}]}`:                              {"/caps/0/key", "/caps/0/max", "/caps/0/per_sec"},
		`{"caps":[{"key":"a","max":21,"per_sec":2592001}]}`:                           {"/caps/0/max", "/caps/0/per_sec"},
		`{"caps":[{"key":"a","max":-1,"per_sec":-1}]}`:                                {"/caps/0/max", "/caps/0/per_sec"},
		`{"caps":[{"key":"a","max":4294967297,"per_sec":1}]}`:                         {"/caps/0/max"},
		`{"caps":[{"key":"a","max":1,"per_sec":1},{"key":"a","max":2,"per_sec":2}]}`:  {"/caps/1/key"},
		`{"caps":[{"key":"a","max":1,"per_sec":1,"tags":["","x","x"],"per":1}]}`:      {"/caps/0/per", "/caps/0/tags/0", "/caps/0/tags/2"},
		`{"caps":[{"key":"a","max":1,"per_sec":1,"tags":[` + tags(MaxTags+1) + `]}]}`: {"/caps/0/tags"},
		`{"caps":[` + strings.Join(caps, ",") + `]}`:                                  {"/caps"},
	} {
		_, err := DecodeSettings([]byte(body))
		errs, _ := errors.AsType[FieldErrors](err)
		var got []string
		for _, e := range errs {
			got = append(got, e.Pointer)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.100s: errors at %q, want %q", body, got, want)
		}
	}
	if _, err := DecodeSettings([]byte(`{"caps":[` + strings.Join(caps[:MaxCaps], ",") + `],"min_gap_sec":` + fmt.Sprint(MaxWait) + `,"holdout":{"percent":100}}`)); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

func TestDecodeStoredSettings(t *testing.T) {
	s, ignored, err := DecodeStoredSettings([]byte(`{"quiet":1,"caps":[{"key":"a","max":1,"per_sec":1,"scope":"x"}]}`))
	if want := []string{"/quiet", "/caps/0/scope"}; err != nil || !slices.Equal(ignored, want) {
		t.Errorf("ignored %q, %v; want %q", ignored, err, want)
	}
	if d := cmp.Diff([]Cap{{Key: "a", Max: 1, PerSec: 1, Tags: []string{}}}, s.Caps); d != "" {
		t.Errorf("caps (-want +got):\n%s", d)
	}
	if _, _, err := DecodeStoredSettings([]byte(`{"caps":[{"key":"a"}]}`)); err == nil {
		t.Error("a cap without max and per_sec was taken")
	}
}

func FuzzDecodeSettings(f *testing.F) {
	f.Add([]byte(fullSettings))
	f.Add([]byte(`{"holdout":{"percent":1e999}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeSettings(data)
		if err != nil {
			return
		}
		again, err := DecodeSettings(s.Encode())
		if d := cmp.Diff(s, again); err != nil || d != "" || !json.Valid(s.Encode()) {
			t.Errorf("%s is read again with %v (-want +got):\n%s", s.Encode(), err, d)
		}
	})
}
