package snapshot

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
)

// BenchmarkAudienceLists matches 26 popups, of which some ask for a list of their own of
// 250,000 users, for another user each time, so that the lists are not in the caches. Nobody
// is in a list, and all popups fit. All numbers of lists are measured in turn; it reports
// medians.
func BenchmarkAudienceLists(b *testing.B) {
	const popups, members, users, rounds = 26, 250_000, 1 << 16, 300
	random := rand.NewChaCha8([32]byte{1})
	var sets []*audience.Set
	for range 20 {
		fingerprints := make([]uint64, members)
		for i := range fingerprints {
			fingerprints[i] = random.Uint64()
		}
		set, err := audience.Build(fingerprints)
		if err != nil {
			b.Fatal(err)
		}
		sets = append(sets, set)
	}
	ids := make([][]byte, users)
	for i := range ids {
		ids[i] = strconv.AppendInt([]byte("user-"), int64(i), 10)
	}
	cases := []struct {
		lists     int
		isCompact bool // as it is some seconds after a change
	}{{0, true}, {1, true}, {20, true}, {20, false}}
	match, took := make([]func(), len(cases)), make([][]float64, len(cases))
	for i, of := range cases {
		c := popup.Catalog{Revision: 1, AudienceKey: audienceKey}
		for p := range popups {
			none := ""
			if p < of.lists {
				c.Audiences = append(c.Audiences, listRow(uint32(p+1), fmt.Sprint("l", p), 1))
				none = in("in", fmt.Sprint("l", p))
			}
			c.Popups = append(c.Popups, row(uint32(p+1), `"targeting":{"all":[{"attr":"platform","op":"eq","value":"ios"}],"none":[`+none+`]}`))
		}
		s, broken := Compile(c, nil)
		if len(broken) > 0 {
			b.Fatal(broken)
		}
		for p, row := range c.Audiences {
			s = s.WithList(List{row, sets[p]})
		}
		if of.isCompact {
			s = Compact(s)
		}
		r, m, next := popup.Request{Platform: []byte("ios")}, new(Matches), 0
		match[i] = func() {
			r.User = ids[next%users]
			next += 7919
			if found := m.all(s, &r); found != popups {
				b.Fatalf("%d popups fit, want %d", found, popups)
			}
		}
	}
	runtime.GC()
	for range rounds {
		for i := range cases {
			took[i] = append(took[i], timeSlice(match[i]))
		}
	}
	for i, of := range cases {
		b.Run(fmt.Sprintf("lists=%d/compact=%v", of.lists, of.isCompact), func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(took[i]), "ns")
		})
	}
}
