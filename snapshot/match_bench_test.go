package snapshot

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/catalogtest"
	"github.com/popupd/popupd/popup"
)

// BenchmarkHotMatch finds all popups that fit a request, and the reason.
func BenchmarkHotMatch(b *testing.B) {
	for _, kind := range catalogtest.Kinds() {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.Name, n), func(b *testing.B) {
				s, r := mustCompile(b, kind.Rows(n)...), kind.Request(n)
				runtime.GC() // or what is measured pays for it
				var m Matches
				found := 0
				b.ReportAllocs()
				for b.Loop() {
					found = m.all(s, &r)
				}
				if kind.Fits >= 0 && found != kind.Fits {
					b.Fatalf("%d popups fit, want %d", found, kind.Fits)
				}
			})
		}
	}
}

var sizes = []int{26, 200, 1000, 10_000, 100_000}

// all finds all popups that fit, and the reason. It returns how many they are.
func (m *Matches) all(s *Snapshot, r *popup.Request) (found int) {
	for s.Match(m, r, r.PlacementNames()[0], nowMS); m.Next() != nil; found++ {
	}
	m.Reason()
	return found
}

// BenchmarkMatchGrowth compares catalogs of all sizes, and the index with asking one popup
// after the other. All are measured in turn, for a millisecond or more each: what else the
// machine does then slows down all of them. It reports medians, and what the index of the
// placement takes.
func BenchmarkMatchGrowth(b *testing.B) {
	const rounds = 200
	for _, kind := range catalogtest.Kinds() {
		b.Run(kind.Name, func(b *testing.B) {
			match, scan := make([]func(), len(sizes)), make([]func(), len(sizes))
			bytes := make([]int64, len(sizes))
			for i, n := range sizes {
				s, r, m := mustCompile(b, kind.Rows(n)...), kind.Request(n), new(Matches)
				popups, placement := s.All(), r.PlacementNames()[0]
				bytes[i] = indexSize(popups)
				match[i] = func() { m.all(s, &r) }
				scan[i] = func() {
					for _, p := range popups {
						s.Gate(p, &r, placement, nowMS)
					}
				}
			}
			runtime.GC()
			matched, scanned := make([][]float64, len(sizes)), make([][]float64, len(sizes))
			for range rounds {
				for i := range sizes {
					matched[i] = append(matched[i], timeSlice(match[i]))
				}
			}
			for range rounds / 40 { // in rounds of their own: after them caches are cold
				for i := range sizes {
					scanned[i] = append(scanned[i], timeSlice(scan[i]))
				}
			}
			for i, n := range sizes {
				b.Run(fmt.Sprintf("popups=%d", n), func(b *testing.B) {
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(median(matched[i]), "ns")
					b.ReportMetric(median(matched[i])/median(matched[0]), "times-26")
					b.ReportMetric(median(scanned[i]), "scan-ns")
					b.ReportMetric(float64(bytes[i])/float64(n), "index-B/popup")
				})
			}
		})
	}
}

// timeSlice returns how many ns a call takes, from as many as fit a millisecond.
func timeSlice(f func()) float64 {
	start, calls, batch := time.Now(), 0, 1
	for time.Since(start) < time.Millisecond {
		for range batch {
			f()
		}
		calls, batch = calls+batch, min(2*batch, 16)
	}
	return float64(time.Since(start)) / float64(calls)
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// indexSize returns how many bytes an index of popups takes, without the popups.
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

// BenchmarkMatchAfterChanges compares 10,000 popups that were created at once, one by one, and
// one by one and then compacted.
func BenchmarkMatchAfterChanges(b *testing.B) {
	const n = 10_000
	for _, kind := range catalogtest.Kinds() {
		b.Run(kind.Name, func(b *testing.B) {
			rows, r := kind.Rows(n), kind.Request(n)
			var changed *Snapshot
			for i := range rows {
				changed, _ = Apply(changed, popup.CatalogChange{Revision: int64(i + 1), Popups: rows[i : i+1]})
			}
			start := time.Now()
			compacted := Compact(changed)
			took := time.Since(start)
			var functions []func()
			for _, s := range []*Snapshot{mustCompile(b, rows...), changed, compacted} {
				m := new(Matches)
				functions = append(functions, func() { m.all(s, &r) })
			}
			ns := catalogtest.InTurn(b, functions...)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ns[0], "at-once-ns")
			b.ReportMetric(ns[1], "one-by-one-ns")
			b.ReportMetric(ns[2], "compacted-ns")
			b.ReportMetric(float64(took.Milliseconds()), "to-compact-ms")
		})
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
