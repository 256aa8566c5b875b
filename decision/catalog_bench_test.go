package decision

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/catalogtest"
	"github.com/popupd/popupd/popup"
)

// sizes are how many popups catalogs have.
var sizes = []int{26, 200, 1000, 10_000, 100_000}

// catalogOf returns a fixture with n popups of a kind, a request of a user who is new each
// time, and one of a user who waits for all popups that fit, and for up to 1,000 in all.
func catalogOf(b *testing.B, kind *catalogtest.Kind, n int) (f *fixture, unknown, seen popup.Request) {
	f = newCatalog(b, kind.Rows(n))
	unknown, seen = kind.Request(n), kind.Request(n)
	seen.User = []byte("seen")
	waits := popup.State{Impressions: 1, Last: popup.Impression, NextAtMS: startMS + dayMS}
	for i := 0; i < n; i += max(1, n/1000) {
		f.restore("seen", uint32(i+1), waits)
	}
	for f.Decide(f.snap, f.users, &seen, f.nowMS, nil); len(f.Winners) > 0; {
		f.Decide(f.snap, f.users, &seen, f.nowMS, nil)
	}
	return f, unknown, seen
}

// poll decides, and takes back what it comes to.
func (f *fixture) poll(r *popup.Request) {
	f.Decide(f.snap, f.users, r, f.nowMS, nil)
	if len(f.Winners) > 0 {
		f.Undo(f.users, r)
	}
}

// BenchmarkHotCatalogs decides among popups with targeting of several kinds.
func BenchmarkHotCatalogs(b *testing.B) {
	for _, kind := range catalogtest.Kinds() {
		for _, n := range sizes {
			var f *fixture
			var requests [2]popup.Request
			for i, name := range []string{"new", "waits"} {
				b.Run(fmt.Sprintf("%s/%s/popups=%d", kind.Name, name, n), func(b *testing.B) {
					if f == nil {
						f, requests[0], requests[1] = catalogOf(b, &kind, n)
					}
					b.ReportAllocs()
					for b.Loop() {
						f.poll(&requests[i])
					}
				})
			}
		}
	}
}

// BenchmarkDecideGrowth compares decisions among many popups with those among 26.
func BenchmarkDecideGrowth(b *testing.B) {
	for _, kind := range catalogtest.Kinds() {
		for _, n := range sizes[1:] {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.Name, n), func(b *testing.B) {
				few, fewNew, fewSeen := catalogOf(b, &kind, 26)
				many, manyNew, manySeen := catalogOf(b, &kind, n)
				ns := catalogtest.InTurn(b,
					func() { few.poll(&fewNew) }, func() { many.poll(&manyNew) },
					func() { few.poll(&fewSeen) }, func() { many.poll(&manySeen) })
				for i, name := range []string{"new-26", "new", "waits-26", "waits"} {
					b.ReportMetric(ns[i], name+"-ns")
				}
				b.ReportMetric(ns[1]/ns[0], "new-ratio")
				b.ReportMetric(ns[3]/ns[2], "waits-ratio")
			})
		}
	}
}

// BenchmarkSeen polls among popups that all fit: for a user who is served the first of them, for
// one whom no popup is for, and for one who has seen all of them and waits for each.
func BenchmarkSeen(b *testing.B) {
	for _, n := range sizes {
		specs := make([]string, n)
		for i := range specs {
			specs[i] = fmt.Sprintf(`"priority":%d,"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]}]}`, i%5)
		}
		b.Run(fmt.Sprintf("popups=%d", n), func(b *testing.B) {
			f := newFixture(b, frequency.Config{}, specs...)
			for id := range uint32(n) {
				f.restore("seen", id+1, popup.State{Impressions: 1, Last: popup.Impression, NextAtMS: startMS + dayMS})
			}
			poll := func(user, platform string) func() {
				r := &popup.Request{User: []byte(user), Platform: []byte(platform)}
				return func() { f.poll(r) }
			}
			ns := catalogtest.InTurn(b, poll("new", "ios"), poll("new", "tv"), poll("seen", "ios"))
			for i, name := range []string{"served", "targeting", "waits"} {
				b.ReportMetric(ns[i], name+"-ns")
			}
		})
	}
}
