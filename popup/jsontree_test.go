package popup

import (
	"bytes"
	"encoding/json"
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
		got, errs := parseTree(data)
		if len(errs) > 0 {
			return
		}
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
		plain, plainErr := appendJSON(nil, want)
		if string(encoded) != string(plain) || err != nil || plainErr != nil {
			t.Fatalf("%q is written as %s (%v), want %s (%v)", data, encoded, err, plain, plainErr)
		}
	})
}
