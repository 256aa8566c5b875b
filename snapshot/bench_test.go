package snapshot

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/internal/catalogtest"
	"github.com/popupd/popupd/popup"
)

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
		rows := catalogtest.Kinds()[0].Rows(n)
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
