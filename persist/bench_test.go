package persist

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/popupd/popupd/popup"
)

// traffic makes batches as a day does: users come back, see one of a few popups,
// and act on every third.
func traffic(batches, size, users int) [][]popup.Event {
	r := rand.New(rand.NewPCG(1, 2))
	all := make([][]popup.Event, batches)
	for i := range all {
		for j := range size {
			e := popup.Event{
				AtMS: startMS + int64(i*size+j)/50, User: fmt.Appendf(nil, "user-%08x", r.IntN(users)*2654435761), Popup: r.Uint32N(10) + 1,
				Version: 3, Variant: []byte([]string{"a", "b"}[r.IntN(2)]), Action: popup.Impression, Nth: r.Uint32N(3) + 1,
			}
			switch r.IntN(9) {
			case 0:
				e.Action = popup.Click
			case 1, 2:
				e.Action = popup.Dismiss
			}
			e.ServedAtMS, e.ReadyAtMS = e.AtMS, e.AtMS+86_400_000
			all[i] = append(all[i], e)
		}
	}
	return all
}

// BenchmarkFlush counts batches of one stream, one after the other.
func BenchmarkFlush(b *testing.B) {
	for _, c := range []struct {
		name string
		open func(testing.TB) *store
	}{{"mariadb", onMySQL}, {"sqlite", onSQLite}} {
		for _, size := range []int{500, 2000, 4000, 8000} {
			b.Run(fmt.Sprintf("%s/%d", c.name, size), func(b *testing.B) {
				s := c.open(b)
				id := streamID(1)
				s.register(b, id)
				batches := traffic(16, size, 500_000)
				after := uint64(0)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					s.mustFlush(b, batchOf(id, after, batches[i%len(batches)]...))
					after += uint64(size)
				}
				b.ReportMetric(float64(after)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// BenchmarkRestore reads the state of a server's users at boot.
func BenchmarkRestore(b *testing.B) {
	for _, c := range []struct {
		name string
		open func(testing.TB) *store
	}{{"mariadb", onMySQL}, {"sqlite", onSQLite}} {
		b.Run(c.name, func(b *testing.B) {
			s := c.open(b)
			id := streamID(1)
			s.register(b, id)
			after := uint64(0)
			for _, events := range traffic(25, 8000, 1_000_000) {
				s.mustFlush(b, batchOf(id, after, events...))
				after += uint64(len(events))
			}
			rows := 0
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Restore(b.Context(), startMS, func([]byte, uint32, popup.State) { rows++ }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
