package popup_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"the same", `{"a":1,"b":[{"c":2}]}`, `{"b":[{"c":2}],"a":1}`, `null`},
		{"a value", `{"a":1,"b":2}`, `{"a":1,"b":"x"}`, `[{"pointer":"/b","from":2,"to":"x"}]`},
		{"a member of a member", `{"a":{"b":null,"c":1}}`, `{"a":{"b":false,"c":1}}`, `[{"pointer":"/a/b","from":null,"to":false}]`},
		{"added", `{}`, `{"a/b":{"c":1}}`, `[{"pointer":"/a~1b","to":{"c":1}}]`},
		{"removed", `{"a":null,"b":1}`, `{"b":1}`, `[{"pointer":"/a","from":null}]`},
		{"by pointer", `{"z":1,"a":1}`, `{"z":2,"a":2}`, `[{"pointer":"/a","from":1,"to":2},{"pointer":"/z","from":1,"to":2}]`},
		{"in a list of values", `{"a":["x","y"]}`, `{"a":["x","z"]}`, `[{"pointer":"/a/1","from":"y","to":"z"}]`},
		{"put into a list", `{"a":["x","y"]}`, `{"a":["x","z","y"]}`, `[{"pointer":"/a/1","to":"z"}]`},
		{"taken from a list", `{"a":["x","x","y"]}`, `{"a":["x","y"]}`, `[{"pointer":"/a/1","from":"x"}]`},
		{"some of a list for others", `{"a":["x","y","z"]}`, `{"a":["v","z"]}`, `[{"pointer":"/a/0","from":"x"},{"pointer":"/a/1","from":"y"},{"pointer":"/a/0","to":"v"}]`},
		{"in a list of lists", `{"a":[["x","y"]]}`, `{"a":[["x","z"]]}`, `[{"pointer":"/a/0/1","from":"y","to":"z"}]`},
		{"in a list of objects", `{"v":[{"key":"a","w":1},{"key":"b","w":1}]}`, `{"v":[{"key":"a","w":1},{"key":"b","w":3}]}`, `[{"pointer":"/v/1/w","from":1,"to":3}]`},
		{"by key", `{"v":[{"key":"a","w":1},{"key":"b","w":1}]}`, `{"v":[{"key":"b","w":3},{"key":"c","w":2}]}`, `[{"pointer":"/v/0","from":{"key":"a","w":1}},{"pointer":"/v/0/w","from":1,"to":3},{"pointer":"/v/1","to":{"key":"c","w":2}}]`},
		{"keys in another order", `{"v":[{"key":"a"},{"key":"b"}]}`, `{"v":[{"key":"b"},{"key":"a"}]}`, `[{"pointer":"/v","from":[{"key":"a"},{"key":"b"}],"to":[{"key":"b"},{"key":"a"}]}]`},
		{"a key twice", `{"v":[{"key":"a"},{"key":"a","w":1}]}`, `{"v":[{"key":"b"},{"key":"a"}]}`, `[{"pointer":"/v/0/key","from":"a","to":"b"},{"pointer":"/v/1/w","from":1}]`},
		{"a longer list of objects", `{"v":[{"a":1}]}`, `{"v":[{"a":1},{"a":2}]}`, `[{"pointer":"/v/1","to":{"a":2}}]`},
		{"numbers as they were written", `{"a":1.50}`, `{"a":12345678901234567890}`, `[{"pointer":"/a","from":1.50,"to":12345678901234567890}]`},
		{"the whole", `1`, `{"a":"<&>"}`, `[{"pointer":"","from":1,"to":{"a":"<&>"}}]`},
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

// The time of a long list with keys grows with its length, not with its square, which took over
// three minutes.
func TestDiffOfLongList(t *testing.T) {
	list := func(first int) []byte {
		b := []byte(`{"l":[`)
		for i := range 100_000 {
			b = fmt.Appendf(b, `{"key":"%d"},`, first+i)
		}
		return append(b, `{"key":"last"}]}`...)
	}
	begin := time.Now()
	got, err := popup.Diff(list(0), list(50_000))
	if took := time.Since(begin); err != nil || len(got) != 100_000 || took > 20*time.Second {
		t.Errorf("%d differences after %s, %v; want 100,000", len(got), took, err)
	}
}
