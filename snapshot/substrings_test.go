package snapshot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestSubstringsAreTriedOnce: a value is tried with a condition once, however many popups
// have the condition, and however often its text is in the value. What find appends for each
// test that is passed says how often it was made.
func TestSubstringsAreTriedOnce(t *testing.T) {
	for _, others := range []int{0, 2 * fewTexts} { // without and with grams
		for _, c := range []string{`path contains "abc"`, `path contains~ "ABC"`, `path matches "abc"`, `path matches "bc.*a"`} {
			const popups = 300
			var rows []popup.Row
			for i := range popups {
				rows = append(rows, row(uint32(i+1), `"targeting":{"all":[`+conditionJSON(c)+`]}`))
			}
			for i := range others { // of the same index
				op, _, _ := strings.Cut(c, ` "`)
				rows = append(rows, row(uint32(popups+i+1), `"targeting":{"all":[`+conditionJSON(fmt.Sprintf("%s \"bca%d\"", op, i))+`]}`))
			}
			s := mustCompile(t, rows...)
			var v value
			var memory scratch
			tried, found := 0, 0
			for _, a := range s.byPlacement["default"].load.parts[0].segment.attributes {
				for _, x := range a.indexes {
					if v.set(a.attr, []byte(strings.Repeat("abc", 100))); x.kind != kindSubstring {
						t.Fatalf("%s is in an index of kind %d", c, x.kind)
					}
					for _, p := range x.substrings.find(nil, &v, x.fold, &memory) {
						tried++
						bitmap := newBitmap(popups + others)
						p.addTo(bitmap)
						for i := range popups {
							found += int(bitmap[i/64] >> (i % 64) & 1)
						}
					}
				}
			}
			if tried != 1 || found != popups {
				t.Errorf("%s among %d others: passed %d times, %d popups, want once and %d", c, others, tried, found, popups)
			}
		}
	}
}
