package snapshot

import (
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

var example = regexp.MustCompile("^\\| `(\\{.*\\})` \\| (from )?`([^`]*)` \\| (yes|no) \\|$")

// TestTargetingPage runs the examples of docs/targeting.md.
func TestTargetingPage(t *testing.T) {
	page, err := os.ReadFile("../docs/targeting.md")
	if err != nil {
		t.Fatal(err)
	}
	ops := map[popup.Op]bool{}
	examples := 0
	for line := range strings.Lines(string(page)) {
		part := example.FindStringSubmatch(strings.TrimSpace(line))
		if part == nil {
			if strings.HasPrefix(line, "| `{") {
				t.Errorf("is no example: %s", line)
			}
			continue
		}
		examples++
		r := row(1, membersOfExample(t, part[1], ops))
		if _, err := popup.Decode(r.Spec); err != nil {
			t.Errorf("%s: %v", part[1], err)
			continue
		}
		query := part[3]
		if part[2] != "" {
			query = "ip=" + query
		}
		if got, want := gateOf(mustCompile(t, r).Popup(1), requestOf(attributesOf(t, query)), defaultPlacement, nowMS) == popup.Eligible, part[4] == "yes"; got != want {
			t.Errorf("%s for %s: %v, want %v", part[1], part[3], got, want)
		}
	}
	for op := range tests {
		if !ops[op] {
			t.Errorf("there is no example for %s", op)
		}
	}
	if examples < 70 {
		t.Errorf("%d examples: are they read at all?", examples)
	}
}

// membersOfExample returns a condition, a targeting or a schedule as members of a popup.
func membersOfExample(t *testing.T, text string, ops map[popup.Op]bool) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	switch {
	case members["op"] != nil:
		ops[popup.Op(strings.Trim(string(members["op"]), `"`))] = true
		return `"targeting":{"all":[` + text + `]}`
	case members["hours"] != nil || members["days"] != nil:
		return `"schedule":` + text
	}
	return `"targeting":` + text
}

// attributesOf returns what a query string says, in the words of conditions.
func attributesOf(t *testing.T, query string) map[string]any {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	attributes := map[string]any{}
	for name, list := range values {
		name, isCustom := strings.CutPrefix(name, "a.")
		if _, isBuiltin := builtins[name]; isCustom && isBuiltin {
			name = "a." + name
		}
		if !isCustom {
			list = list[:1]
		}
		var set []any
		for _, v := range list {
			set = append(set, v)
		}
		attributes[name] = set
	}
	return attributes
}
