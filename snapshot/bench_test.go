package snapshot

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/popup"
)

// typical returns n active popups as a shop would have them: three placements,
// two conditions each, some with hours, some with a rollout.
func typical(n int) []popup.Row {
	rows := make([]popup.Row, n)
	for i := range rows {
		rows[i] = row(uint32(i+1), fmt.Sprintf(`"priority":%d,`, i%10)+typicalMembers(i))
	}
	return rows
}

func typicalMembers(i int) string {
	members := fmt.Sprintf(`"placements":["default","p%d","home"],
		"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"plan","op":"eq","value":"plan-%d"}]},
		"variants":[{"key":"a","weight":50},{"key":"b","weight":50}]`, i, i)
	if i%4 == 0 {
		members += `,"schedule":{"timezone":"Europe/Berlin","days":["mon","tue","wed"],"hours":[["00:00","24:00"]]}`
	}
	if i%3 == 0 {
		members += `,"rollout":{"percent":99.99}`
	}
	return members
}

func BenchmarkHotVariant(b *testing.B) {
	user, dst := []byte("user-1234567"), make([]byte, 0, 1024)
	for _, n := range []int{1, 2, 3, popup.MaxVariants} {
		weights := map[string]int{}
		for i := range n {
			weights[string(rune('a'+i))] = 1 + i
		}
		p := compileWeights(b, "spring-sale", weights)
		b.Run(fmt.Sprint("variants=", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dst = p.Variant(user).AppendPopup(dst[:0], defaultPlacement, nil)
			}
		})
	}
}

// BenchmarkCompile compiles from nothing, and after a change of one popup.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{26, 1000, 10000} {
		rows := typical(n)
		full := mustCompile(b, rows...)
		b.Run(fmt.Sprintf("popups=%d/all", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Compile(popup.Catalog{Revision: 1, Popups: rows}, nil)
			}
		})
		changed := append([]popup.Row(nil), rows...)
		changed[0].Version++
		b.Run(fmt.Sprintf("popups=%d/one", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Compile(popup.Catalog{Revision: 2, Popups: changed}, full)
			}
		})
	}
}
