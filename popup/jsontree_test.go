package popup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzTree: a document without errors is read as package json reads it, and content is
// written as package json writes it.
func FuzzTree(f *testing.F) {
	for _, seed := range []string{`{}`, `[]`, ` [ 1 , -2.5e+3 , {"a":[{}, []]} ] `, `{"a":"\u00e9\"\\","\n":null}`, `"\ud83d\ude00"`, `true`, `{"a":{"b":false},"c":"<>&\u2028"}`, `{"a":1,"a":2}`, `["\ud800"]`, `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, errs := parseTree(data)
		if len(errs) > 0 {
			return
		}
		got := plain(tree)
		var want any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("%q was read, but: %v", data, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: %s", data, diff)
		}
		encoded, err := appendTree(nil, got)
		expected, expectedErr := appendJSON(nil, want)
		if string(encoded) != string(expected) || err != nil || expectedErr != nil {
			t.Fatalf("%q is written as %s (%v), want %s (%v)", data, encoded, err, expected, expectedErr)
		}
	})
}

// However many members an object has, the second of a name is told.
func TestRepeatedMember(t *testing.T) {
	for _, n := range []int{1, manyMembers - 1, manyMembers, 3 * manyMembers} {
		members := make([]string, n)
		for i := range members {
			members[i] = fmt.Sprintf(`"m%d":{"m0":[]}`, i)
		}
		if _, errs := parseTree([]byte("{" + strings.Join(members, ",") + "}")); len(errs) > 0 {
			t.Errorf("%d members: %v", n, errs)
		}
		for _, i := range []int{0, n - 1} {
			_, errs := parseTree([]byte("{" + strings.Join(members, ",") + "," + members[i] + "}"))
			if want := (FieldErrors{{fmt.Sprintf("/m%d", i), "occurs twice"}}); !slices.Equal(errs, want) {
				t.Errorf("%d members, %d again: %v, want %v", n, i, errs, want)
			}
		}
	}
}

func TestDepth(t *testing.T) {
	for _, c := range []struct {
		levels  int
		tooMany bool
	}{{1, false}, {MaxDepth, false}, {MaxDepth + 1, true}, {1000, true}} {
		for _, pair := range []string{"[]", "{}"} {
			doc := strings.Repeat("[", c.levels-1) + pair + strings.Repeat("]", c.levels-1)
			if _, errs := parseTree([]byte(doc)); (len(errs) > 0) != c.tooMany {
				t.Errorf("%d levels, %s inside: %v, want an error: %v", c.levels, pair, errs, c.tooMany)
			}
		}
	}
}
