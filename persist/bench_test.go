package persist

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/popupd/popupd/popup"
)

// traffic makes batches as a day does: users come back and see one of a few popups,
// and every third event is an action on an impression of the last second, once each.
func traffic(batches, size, users int) [][]popup.Event {
	r := rand.New(rand.NewPCG(1, 2))
	all := make([][]popup.Event, batches)
	var recent []popup.Event
	for i := range all {
		for j := range size {
			atMS := startMS + int64(i*size+j)/perMS
			action := [9]popup.Action{popup.Click, popup.Dismiss, popup.Dismiss}[r.IntN(9)]
			if action == 0 || len(recent) == 0 {
				e := popup.Event{
					AtMS: atMS, User: fmt.Appendf(nil, "user-%08x", r.IntN(users)*2654435761), Popup: r.Uint32N(10) + 1,
					Version: 3, Variant: []byte([]string{"a", "b"}[r.IntN(2)]), Action: popup.Impression, Nth: r.Uint32N(3) + 1,
					ServedAtMS: atMS, ReadyAtMS: atMS + 86_400_000,
				}
				all[i] = append(all[i], e)
				if len(recent) < 1000*perMS {
					recent = append(recent, e)
				} else {
					recent[r.IntN(len(recent))] = e
				}
				continue
			}
			k := r.IntN(len(recent))
			e := recent[k]
			recent[k] = recent[len(recent)-1]
			recent = recent[:len(recent)-1]
			e.Action, e.AtMS, e.ReadyAtMS = action, atMS, atMS+86_400_000
			all[i] = append(all[i], e)
		}
	}
	return all
}

// perMS is how many events of traffic happen in a millisecond.
const perMS = 50

// later makes the traffic that of the next time: the same users and popups, other impressions.
func later(events []popup.Event, ms int64) {
	for i := range events {
		e := &events[i]
		e.AtMS, e.ServedAtMS, e.ReadyAtMS = e.AtMS+ms, e.ServedAtMS+ms, e.ReadyAtMS+ms
	}
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
				all := int64(len(batches)*size)/perMS + 1
				after := uint64(0)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					events := batches[i%len(batches)]
					s.mustFlush(b, batchOf(id, after, events...))
					after += uint64(size)
					later(events, all)
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
				if _, err := s.Restore(b.Context(), startMS, 0, nil, false, func([]byte, uint32, popup.State) { rows++ }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkExperimentPass passes events behind the flush: of popups without variants, of
// popups with two whose users are all new, and of the same users who come back.
func BenchmarkExperimentPass(b *testing.B) {
	for _, c := range []struct {
		name string
		open func(testing.TB) *store
	}{{"mariadb", onMySQL}, {"sqlite", onSQLite}} {
		for _, kind := range []string{"none", "new", "back"} {
			b.Run(c.name+"/"+kind, func(b *testing.B) {
				s := c.open(b)
				doc := `{"key":"p%d"}`
				if kind != "none" {
					doc = `{"key":"p%d","variants":[{"key":"a"},{"key":"b"}]}`
				}
				for i := range 10 {
					p := mustCreate(b, s, fmt.Sprintf(doc, i))
					for range 2 { // traffic is of version 3
						p, _ = s.Put(b.Context(), operator, p.Version, p.Spec)
					}
				}
				id := streamID(1)
				s.register(b, id)
				after := uint64(0)
				put := func(batches [][]popup.Event) {
					for _, events := range batches {
						for i := range events { // each user has one variant
							events[i].Variant = []byte([]string{"a", "b"}[events[i].User[12]%2])
						}
						s.mustFlush(b, batchOf(id, after, events...))
						after += uint64(len(events))
					}
				}
				batches := traffic(16, 4000, 20_000)
				all := int64(len(batches)*4000)/perMS + 1
				passed := uint64(0)
				for b.Loop() {
					b.StopTimer()
					if kind == "new" {
						s.empty(b)
						s.register(b, id)
						after = 0
					}
					put(batches)
					if kind == "back" && passed == 0 {
						s.passAll(b)
					}
					for _, events := range batches {
						later(events, all)
					}
					s.exec(b, "UPDATE experiment_progress SET seq = 1 WHERE stream_no = 0")
					b.StartTimer()
					s.passAll(b)
					passed += 16 * 4000
				}
				b.ReportMetric(float64(passed)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
