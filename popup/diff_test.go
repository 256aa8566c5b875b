package popup_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"the same", `{"a":1,"b":[{"c":2}]}`, `{"b":[{"c":2}],"a":1}`, `null`},
		{"a value", `{"a":1,"b":2}`, `{"a":1,"b":"x"}`, `[{"path":"/b","from":2,"to":"x"}]`},
		{"a member of a member", `{"a":{"b":null,"c":1}}`, `{"a":{"b":false,"c":1}}`, `[{"path":"/a/b","from":null,"to":false}]`},
		{"added", `{}`, `{"a/b":{"c":1}}`, `[{"path":"/a~1b","to":{"c":1}}]`},
		{"removed", `{"a":null,"b":1}`, `{"b":1}`, `[{"path":"/a","from":null}]`},
		{"by path", `{"z":1,"a":1}`, `{"z":2,"a":2}`, `[{"path":"/a","from":1,"to":2},{"path":"/z","from":1,"to":2}]`},
		{"a list of values", `{"a":["x","y"]}`, `{"a":["y","x"]}`, `[{"path":"/a","from":["x","y"],"to":["y","x"]}]`},
		{"in a list of objects", `{"v":[{"key":"a","w":1},{"key":"b","w":1}]}`, `{"v":[{"key":"a","w":1},{"key":"b","w":3}]}`, `[{"path":"/v/1/w","from":1,"to":3}]`},
		{"a longer list of objects", `{"v":[{"a":1}]}`, `{"v":[{"a":1},{"a":2}]}`, `[{"path":"/v","from":[{"a":1}],"to":[{"a":1},{"a":2}]}]`},
		{"numbers as they were written", `{"a":1.50}`, `{"a":12345678901234567890}`, `[{"path":"/a","from":1.50,"to":12345678901234567890}]`},
		{"the whole", `1`, `{"a":"<&>"}`, `[{"path":"","from":1,"to":{"a":"<&>"}}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := popup.Diff([]byte(c.before), []byte(c.after))
			if err != nil {
				t.Fatal(err)
			}
			var want []popup.Difference
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
	for _, c := range [][2]string{{"", "{}"}, {"{}", "{"}} {
		if _, err := popup.Diff([]byte(c[0]), []byte(c[1])); err == nil {
			t.Errorf("no error for %q and %q", c[0], c[1])
		}
	}
}
