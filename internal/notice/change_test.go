package notice

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// changeOf returns a change of a popup from one document to another; "": it is new.
func changeOf(t *testing.T, before, after string) popup.PopupChange {
	t.Helper()
	spec, err := popup.Decode([]byte(after))
	if err != nil {
		t.Fatal(err)
	}
	c := popup.PopupChange{
		Change: popup.Change{Actor: "ann", Action: "update"}, AtMS: 1_720_005_600_000,
		After: popup.Popup{ID: 7, Version: 1, Spec: spec},
	}
	if before != "" {
		was, err := popup.Decode([]byte(before))
		if err != nil {
			t.Fatal(err)
		}
		c.BeforeVersion, c.BeforeStatus, c.Before, c.After.Version = 3, was.Status, was.Encode(), 4
	}
	return c
}

// TestKinds: which changes are told, and in which words.
func TestKinds(t *testing.T) {
	spec := func(status string) string { return `{"key":"sale","status":"` + status + `"}` }
	for _, c := range []struct {
		before, after string
		want          string // type and text; empty: nothing is told
	}{
		{"", spec("draft"), ""},
		{"", spec("active"), "popup.published: Popup sale was published by ann: version 1"},
		{"", spec("paused"), ""},
		{spec("draft"), `{"key":"sale","name":"x"}`, ""},
		{spec("draft"), spec("active"), "popup.published: Popup sale was published by ann: version 4"},
		{spec("draft"), spec("paused"), ""},
		{spec("draft"), spec("archived"), ""},
		{spec("active"), spec("active"), ""},
		{spec("active"), `{"key":"sale","name":"Sale","status":"active"}`, "popup.published: Popup Sale (sale) was changed while it is live by ann: version 4"},
		{spec("active"), spec("paused"), "popup.paused: Popup sale was paused by ann: version 4"},
		{spec("active"), spec("draft"), "popup.paused: Popup sale was paused by ann: version 4"},
		{spec("active"), spec("archived"), "popup.archived: Popup sale was archived by ann: version 4"},
		{spec("paused"), spec("active"), "popup.published: Popup sale was resumed by ann: version 4"},
		{spec("paused"), spec("archived"), "popup.archived: Popup sale was archived by ann: version 4"},
	} {
		n, ok := OfChange(changeOf(t, c.before, c.after))
		var body message
		if ok {
			if err := json.Unmarshal(n.Body, &body); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprintf("%s: %s", body.Type, body.Text); got != c.want && (ok || c.want != "") {
			t.Errorf("from %s to %s: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}

// TestBodyOfChange holds the whole of one.
func TestBodyOfChange(t *testing.T) {
	c := changeOf(t, `{"key":"sale"}`, `{"key":"sale","name":"<!channel> & *more*","status":"active","priority":5}`)
	c.After.Source = "shop.yaml"
	n, ok := OfChange(c)
	if !ok || !strings.HasPrefix(n.ID, "msg_") || len(n.ID) < 24 || strings.Contains(n.ID, ".") || n.Subject != "popup.published:7:4" {
		t.Errorf("told %v, id %s, subject %s", ok, n.ID, n.Subject)
	}
	const want = `{"type":"popup.published","timestamp":"2024-07-03T11:20:00Z","data":{"popup":{"id":7,"key":"sale","name":"<!channel> & *more*",` +
		`"status":"active","path":"/v1/admin/popups/sale"},"action":"update","actor":"ann","version":4,"before_version":3,"before_status":"draft","source":"shop.yaml",` +
		`"diff":[{"pointer":"/name","from":"","to":"<!channel> & *more*"},{"pointer":"/priority","from":0,"to":5},{"pointer":"/status","from":"draft","to":"active"}]},` +
		`"text":"Popup &lt;!channel&gt; &amp; *more* (sale) was published by ann: version 4"}`
	if d := cmp.Diff(want, string(n.Body)); d != "" {
		t.Error(d)
	}
	if again, _ := OfChange(c); again.ID == n.ID {
		t.Error("two notices have one id")
	}
}

// TestLongDiff: a body stays small, and says so where something is left out.
func TestLongDiff(t *testing.T) {
	content := func(value string) string {
		var members []string
		for i := range maxDiff + 5 {
			members = append(members, fmt.Sprintf(`"m%02d":%q`, i, value))
		}
		return `{"key":"sale","status":"active","variants":[{"key":"a","content":{` + strings.Join(members, ",") + `}}]}`
	}
	n, ok := OfChange(changeOf(t, content("short"), content(strings.Repeat("long ", 100))))
	var body struct {
		Data struct {
			Diff       []map[string]any
			Incomplete bool `json:"diff_incomplete"`
		}
	}
	if err := json.Unmarshal(n.Body, &body); err != nil || !ok {
		t.Fatal(err, ok)
	}
	if d := body.Data; len(d.Diff) != maxDiff || !d.Incomplete || len(n.Body) > 20<<10 {
		t.Errorf("%d differences, incomplete %v, %d bytes", len(d.Diff), d.Incomplete, len(n.Body))
	}
	last := body.Data.Diff[maxDiff-1]
	if last["from"] != nil || last["to"] != nil || last["long"] != true {
		t.Errorf("a long value is told as %v", last)
	}
	c := changeOf(t, content("a"), content("b"))
	c.Before = []byte("{broken by hand")
	if n, _ := OfChange(c); !strings.Contains(string(n.Body), `"diff":[],"diff_incomplete":true`) {
		t.Errorf("what was broken: %s", n.Body)
	}
}

// TestWords: what operators write is one line, is no mention, and is not long.
func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a\r\n\tb": "a   b", "<@U1> & >": "&lt;@U1&gt; &amp; &gt;", "a\u202eb": "a b", "a\xffb": "a?b",
		strings.Repeat("é", 200): strings.Repeat("é", maxWords) + "…",
	} {
		if got := words(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
