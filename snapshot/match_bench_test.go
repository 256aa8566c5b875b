package snapshot

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/popupd/popupd/internal/catalogtest"
	"github.com/popupd/popupd/popup"
)

// BenchmarkHotMatch finds all popups that fit a request, and the reason. It says what the
// index of the placement takes for each popup.
func BenchmarkHotMatch(b *testing.B) {
	for _, kind := range catalogtest.Kinds() {
		for _, n := range []int{26, 200, 1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.Name, n), func(b *testing.B) {
				s, r := mustCompile(b, kind.Rows(n)...), kind.Request(n)
				size := indexSize(s.All())
				var m Matches
				found := 0
				b.ReportAllocs()
				for b.Loop() {
					s.Match(&m, &r, r.PlacementNames()[0], nowMS)
					for found = 0; m.Next() != nil; found++ {
					}
					m.Reason()
				}
				b.ReportMetric(float64(size)/float64(n), "index-B/popup")
				if kind.Fits >= 0 && found != kind.Fits {
					b.Fatalf("%d popups fit, want %d", found, kind.Fits)
				}
			})
		}
	}
}

// BenchmarkMatchGrowth compares a match among many popups with one among 26. Both are
// measured in turn, for a millisecond each: what else the machine does then slows down both.
func BenchmarkMatchGrowth(b *testing.B) {
	for _, kind := range catalogtest.Kinds() {
		for _, n := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.Name, n), func(b *testing.B) {
				var match [2]func()
				for i, n := range []int{26, n} {
					s, r, m := mustCompile(b, kind.Rows(n)...), kind.Request(n), new(Matches)
					match[i] = func() {
						s.Match(m, &r, r.PlacementNames()[0], nowMS)
						for m.Next() != nil {
						}
						m.Reason()
					}
				}
				ns := catalogtest.InTurn(b, match[0], match[1])
				few, many := ns[0], ns[1]
				b.ReportMetric(few, "ns-of-26")
				b.ReportMetric(many, "ns")
				b.ReportMetric(many/few, "ratio")
			})
		}
	}
}

// indexSize returns how many bytes an index of popups takes, without the popups. The garbage
// collector has nothing left to do then, which a measurement would pay for.
func indexSize(popups []*Popup) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := (*index)(nil).with(changes{in: popups}, newSegments)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(x)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// BenchmarkScan is what the same costs popup by popup.
func BenchmarkScan(b *testing.B) {
	for _, kind := range catalogtest.Kinds() {
		for _, n := range []int{26, 200, 1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.Name, n), func(b *testing.B) {
				s, r := mustCompile(b, kind.Rows(n)...), kind.Request(n)
				popups, placement := s.All(), r.PlacementNames()[0]
				runtime.GC()
				b.ReportAllocs()
				for b.Loop() {
					for _, p := range popups {
						p.Gate(&r, placement, nowMS)
					}
				}
			})
		}
	}
}

// BenchmarkApply changes one popup after the other.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{26, 10_000} {
		var s *Snapshot
		b.Run(fmt.Sprintf("popups=%d", n), func(b *testing.B) {
			kinds := catalogtest.Kinds()
			rows := kinds[len(kinds)-1].Rows(n)
			if s == nil {
				s = mustCompile(b, rows...)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				row := &rows[i*7919%n]
				row.Version++
				s, _ = Apply(s, popup.CatalogChange{Revision: int64(i + 2), Popups: []popup.Row{*row}})
			}
		})
	}
}
