package persist

import (
	"encoding/base64"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func TestCursor(t *testing.T) {
	for _, c := range []cursor{
		{},
		{first: 7, positions: []position{{7, 1}}},
		{first: math.MaxUint32, total: math.MaxUint64, runs: []run{{1, 900_000}, {900_002, 900_002}},
			positions: []position{{900_001, math.MaxUint64}, {math.MaxUint32, 3}}},
	} {
		text := c.encode()
		got, err := decodeCursor(text)
		if d := cmp.Diff(c, got, cmp.AllowUnexported(cursor{}, run{}, position{})); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, d)
		}
		for i := range len(text) { // cut off, or with another letter
			other := []byte(text)
			other[i] = 'A' + (other[i]-'A'+1)%26
			for _, wrong := range []string{text[:i], string(other), text + "A"} {
				if _, err := decodeCursor(wrong); wrong != "" && !errors.Is(err, popup.ErrCursor) {
					t.Errorf("%s, in truth %s: %v", wrong, text, err)
				}
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	c := cursor{first: 5, total: 9, runs: []run{{1, 2}, {4, 4}}, positions: []position{{3, 8}, {5, 1}}}
	f.Add(c.encode())
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := decodeCursor(text)
		if err != nil || text == "" {
			return
		}
		again, err := decodeCursor(c.encode())
		if d := cmp.Diff(c, again, cmp.AllowUnexported(cursor{}, run{}, position{})); d != "" || err != nil {
			raw, _ := base64.RawURLEncoding.DecodeString(text)
			t.Fatalf("%x: %v (-want +got):\n%s", raw, err, d)
		}
	})
}
