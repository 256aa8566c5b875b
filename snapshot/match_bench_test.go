package snapshot

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// catalogs are kinds of catalogs to match requests with. The popups of the distinct ones
// have conditions of their own each.
var catalogs = []struct {
	name    string
	members func(i, n int) string // of popup i of n
	request func(n int) popup.Request
	fits    int // how many popups fit the request, if there are 26 or more
}{
	{"typical", func(i, _ int) string { return typicalMembers(i) }, func(n int) popup.Request { return attributes("plan", fmt.Sprint("plan-", n/2)) }, 1},
	{"realistic", realistic, func(n int) popup.Request { return attributes("segment", "none", "orders", "3") }, 0},
	{"texts", func(i, _ int) string { return all(conditionJSON(fmt.Sprintf(`plan eq "plan-%d"`, i))) }, func(n int) popup.Request { return attributes("plan", fmt.Sprint("plan-", n/2)) }, 1},
	{"thresholds", func(i, n int) string { return all(conditionJSON(fmt.Sprintf(`score gte %d`, i+10))) }, func(int) popup.Request { return attributes("score", "10") }, 1},
	{"ranges", func(i, _ int) string {
		return all(conditionJSON(fmt.Sprintf(`score gte %d`, 10*i)), conditionJSON(fmt.Sprintf(`score lt %d`, 10*i+30)))
	}, func(n int) popup.Request { return attributes("score", fmt.Sprint(5*n)) }, 3},
	{"versions", func(i, _ int) string {
		return all(conditionJSON(fmt.Sprintf(`app_version semver_gte "%d.%d.1"`, i/50, i%50)), conditionJSON(fmt.Sprintf(`app_version semver_lt "%d.%d.5"`, i/50, i%50)))
	}, func(n int) popup.Request {
		r := attributes()
		r.AppVersion = fmt.Appendf(nil, "%d.%d.3", n/2/50, n/2%50)
		return r
	}, 1},
	{"prefixes", func(i, _ int) string { return all(conditionJSON(fmt.Sprintf(`path prefix "/shop/item-%d/"`, i))) }, func(n int) popup.Request {
		r := attributes()
		r.Path = fmt.Appendf(nil, "/shop/item-%d/reviews", n/2)
		return r
	}, 1},
	{"substrings", func(i, _ int) string { return all(conditionJSON(fmt.Sprintf(`path contains "-item-%d-"`, i))) }, func(n int) popup.Request {
		r := attributes()
		r.Path = fmt.Appendf(nil, "/shop/blue-item-%d-xl/reviews", n/2)
		return r
	}, 1},
	{"mixed", func(i, n int) string {
		switch i % 3 {
		case 0:
			return all(conditionJSON(fmt.Sprintf(`score gte %d`, 10*i)), conditionJSON(fmt.Sprintf(`score lt %d`, 10*i+30)))
		case 1:
			return all(conditionJSON(fmt.Sprintf(`app_version semver_gte "%d.%d.1"`, i/50, i%50)), conditionJSON(fmt.Sprintf(`app_version semver_lt "%d.%d.5"`, i/50, i%50)))
		}
		return all(conditionJSON(fmt.Sprintf(`path prefix "/shop/item-%d/"`, i)))
	}, func(n int) popup.Request {
		r := attributes("score", fmt.Sprint(5*n))
		r.AppVersion, r.Path = fmt.Appendf(nil, "%d.%d.3", n/2/50, n/2%50), fmt.Appendf(nil, "/shop/item-%d/reviews", n/2)
		return r
	}, -1},
}

// all returns the targeting of a popup whose conditions must all hold.
func all(conditions ...string) string {
	return `"targeting":{"all":[` + strings.Join(conditions, ",") + `]}`
}

func attributes(nameValues ...string) popup.Request {
	r := popup.Request{User: []byte("user-1234567"), Platform: []byte("ios"), AppVersion: []byte("3.2.1"), Country: []byte("CN"), Locale: []byte("zh-CN")}
	for i := 0; i < len(nameValues); i += 2 {
		r.Attrs = append(r.Attrs, popup.Attr{Name: []byte(nameValues[i]), Value: []byte(nameValues[i+1])})
	}
	return r
}

// realistic returns the popups of a shop's home page, none of which is for the request.
func realistic(i, _ int) string {
	apps := `{"attr":"platform","op":"in","value":["ios","android"]}`
	switch i % 4 {
	case 0:
		return fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"app_version","op":"semver_gte","value":"3.%d"},
			{"attr":"country","op":"in","value":["HK","TW","SG"]}],"none":[{"attr":"segment","op":"eq","value":"staff"}]}`, apps, i%3)
	case 1:
		return fmt.Sprintf(`"targeting":{"all":[{"attr":"platform","op":"eq","value":"web"},{"attr":"country","op":"eq","value":%q}]}`, []string{"CN", "US", "DE", "FR", "JP"}[i/4%5])
	case 2:
		return fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"app_version","op":"semver_gte","value":"4.%d"}],
			"any":[{"attr":"locale","op":"prefix","value":"zh"},{"attr":"locale","op":"eq","value":"en-SG"}]}`, apps, i/4%40)
	}
	return fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"segment","op":"in","value":["s%d","s%d"]},
		{"attr":"orders","op":"gte","value":%d}]},"rollout":{"percent":50}`, apps, i/4%500, i/4%500+1, i/4%10)
}

func catalogRows(n int, members func(i, n int) string) []popup.Row {
	rows := make([]popup.Row, n)
	for i := range rows {
		rows[i] = row(uint32(i+1), fmt.Sprintf(`"priority":%d,`, i%10)+members(i, n))
	}
	return rows
}

// BenchmarkHotMatch finds all popups that fit a request, and the reason. It says what the
// index of the placement takes for each popup.
func BenchmarkHotMatch(b *testing.B) {
	for _, kind := range catalogs {
		for _, n := range []int{26, 200, 1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.name, n), func(b *testing.B) {
				s, r := mustCompile(b, catalogRows(n, kind.members)...), kind.request(n)
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
				if kind.fits >= 0 && found != kind.fits {
					b.Fatalf("%d popups fit, want %d", found, kind.fits)
				}
			})
		}
	}
}

// BenchmarkMatchGrowth compares a match among many popups with one among 26. Both are
// measured in turn, for a millisecond each: what else the machine does then slows down both.
func BenchmarkMatchGrowth(b *testing.B) {
	const slice = time.Millisecond
	for _, kind := range catalogs {
		for _, n := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.name, n), func(b *testing.B) {
				var match [2]func()
				for i, n := range []int{26, n} {
					s, r, m := mustCompile(b, catalogRows(n, kind.members)...), kind.request(n), new(Matches)
					match[i] = func() {
						s.Match(m, &r, r.PlacementNames()[0], nowMS)
						for m.Next() != nil {
						}
						m.Reason()
					}
				}
				runtime.GC()
				var took [2][]float64 // ns a match, by slice
				for b.Loop() {
					for i, f := range match {
						start, matches := time.Now(), 0
						for time.Since(start) < slice {
							for range 16 {
								f()
							}
							matches += 16
						}
						took[i] = append(took[i], float64(time.Since(start))/float64(matches))
					}
				}
				few, many := median(took[0]), median(took[1])
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(few, "ns-of-26")
				b.ReportMetric(many, "ns")
				b.ReportMetric(many/few, "ratio")
			})
		}
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
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
	for _, kind := range catalogs {
		for _, n := range []int{26, 200, 1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/popups=%d", kind.name, n), func(b *testing.B) {
				s, r := mustCompile(b, catalogRows(n, kind.members)...), kind.request(n)
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
			rows := catalogRows(n, catalogs[len(catalogs)-1].members)
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
