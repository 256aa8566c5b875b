package frequency

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/popupd/popupd/internal/siphash"
	"github.com/popupd/popupd/popup"
)

// The hot benchmarks ask about users in a random-looking order in a table of
// benchUsers users with benchPopups popups each, so that caches miss as they do
// in production.
const (
	benchUsers  = 250_000
	benchPopups = 4
)

func userID(dst []byte, n int) []byte {
	return strconv.AppendInt(append(dst[:0], "user-0000000000-"...), int64(n), 10)
}

// restore fills the table with entries of popups of each user, and returns how many.
func restore(b *testing.B, table *Table, users int) int {
	var id []byte
	for i := range users {
		id = userID(id, i)
		for p := range uint32(benchPopups) {
			s := popup.State{Impressions: 1, ServedAtMS: noon, ShownAtMS: noon, Last: popup.Impression, AtMS: noon, NextAtMS: noon + day}
			if !table.Restore(id, p+1, s) {
				b.Fatal("no memory")
			}
		}
	}
	return users * benchPopups
}

// spread goes round the users in steps that are prime to their number.
func spread(i int) int { return i * 104_729 % benchUsers }

func BenchmarkHotCheckMiss(b *testing.B) {
	table := New(Config{MinGap: 1})
	restore(b, table, benchUsers)
	var id []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id = userID(id, benchUsers+spread(i))
		u := table.Lock(id)
		if v := u.Check(1, &defaults, noon); v.Reason != popup.Eligible {
			b.Fatal(v)
		}
		u.Unlock()
	}
}

func BenchmarkHotCheckHit(b *testing.B) {
	table := New(Config{MinGap: 1})
	restore(b, table, benchUsers)
	var id []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id = userID(id, spread(i))
		u := table.Lock(id)
		if v := u.Check(1, &defaults, noon); v.Reason != popup.CooldownImpression {
			b.Fatal(v)
		}
		u.Unlock()
	}
}

func BenchmarkHotCheckParallel(b *testing.B) {
	table := New(Config{MinGap: 1})
	restore(b, table, benchUsers)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		var id []byte
		for i := 0; pb.Next(); i++ {
			id = userID(id, spread(i))
			u := table.Lock(id)
			u.Check(1, &defaults, noon)
			u.Unlock()
		}
	})
}

// BenchmarkHotServe serves users that are known. See BenchmarkServeNew for others.
func BenchmarkHotServe(b *testing.B) {
	table := New(Config{})
	restore(b, table, benchUsers)
	var id []byte
	variant := []byte("a")
	now := noon
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%benchUsers == 0 {
			now += day
		}
		id = userID(id, spread(i))
		u := table.Lock(id)
		ev := popup.Event{User: id, Popup: 1, Version: 1, Variant: variant, Action: popup.Impression, AtMS: now}
		if u.Check(1, &defaults, now).Reason != popup.Eligible {
			b.Fatal("not eligible")
		}
		u.Serve(&ev, &defaults)
		u.Unlock()
	}
}

// BenchmarkServeNew serves users who have not been seen before, growth included.
func BenchmarkServeNew(b *testing.B) {
	table := New(Config{})
	var id []byte
	variant := []byte("a")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%2_000_000 == 0 {
			table = New(Config{})
		}
		id = userID(id, i)
		u := table.Lock(id)
		ev := popup.Event{User: id, Popup: 1, Version: 1, Variant: variant, Action: popup.Impression, AtMS: noon}
		u.Serve(&ev, &defaults)
		u.Unlock()
	}
}

func BenchmarkHotAct(b *testing.B) {
	table := New(Config{})
	restore(b, table, benchUsers)
	var id []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id = userID(id, spread(i))
		u := table.Lock(id)
		// A newer impression each round, as of another server, so that all count.
		served := noon + int64(i/benchUsers+1)*day
		ev := popup.Event{User: id, Popup: 1, ServedAtMS: served, Action: popup.Click, AtMS: served + second}
		if _, o := u.Act(&ev, &defaults, 0); o != Counted {
			b.Fatal(o)
		}
		u.Unlock()
	}
}

func BenchmarkHotMerge(b *testing.B) {
	table := New(Config{})
	restore(b, table, benchUsers)
	var id []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id = userID(id, spread(i))
		table.Merge(&popup.Event{User: id, Popup: 1, ServedAtMS: noon, Action: popup.Click, AtMS: noon + second, ReadyAtMS: noon + day, ClickUntilMS: noon + day})
	}
}

func BenchmarkHotHash(b *testing.B) {
	id := userID(nil, 1_000_000)
	for b.Loop() {
		siphash.Sum64(1, 2, id)
	}
}

func BenchmarkSweep(b *testing.B) {
	table := New(Config{})
	restore(b, table, benchUsers)
	table.SetPolicy(func(uint32) Retention { return Retention{} })
	b.ReportAllocs()
	for b.Loop() {
		table.Sweep(noon)
	}
	b.ReportMetric(float64(sweepSlots*b.N)/b.Elapsed().Seconds(), "slots/s")
}

// sizes are the numbers of entries of the benchmarks below. The larger one takes
// 300 MB: POPUPD_BENCH_LARGE=1 runs it.
var sizes = []struct {
	name    string
	entries int
	large   bool
}{{"1M", 1_000_000, false}, {"10M", 10_000_000, true}}

func forSizes(b *testing.B, f func(b *testing.B, entries int)) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			if s.large && os.Getenv("POPUPD_BENCH_LARGE") == "" {
				b.Skip("set POPUPD_BENCH_LARGE=1")
			}
			f(b, s.entries)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkRestore fills an empty table as at boot and reports the memory of an entry.
func BenchmarkRestore(b *testing.B) {
	forSizes(b, func(b *testing.B, entries int) {
		for b.Loop() {
			b.StopTimer()
			before := heap()
			table := New(Config{})
			b.StartTimer()
			n := restore(b, table, entries/benchPopups)
			b.StopTimer()
			b.ReportMetric(float64(table.bytes.Load())/float64(n), "B/entry")
			b.ReportMetric(float64(heap()-before)/float64(n), "heap-B/entry")
			runtime.KeepAlive(table)
			b.StartTimer()
		}
		b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}

func BenchmarkDump(b *testing.B) {
	forSizes(b, func(b *testing.B, entries int) {
		path := filepath.Join(b.TempDir(), "state")
		table := New(Config{})
		restore(b, table, entries/benchPopups)
		for b.Loop() {
			if err := table.Dump(path, nil, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}

func BenchmarkLoad(b *testing.B) {
	forSizes(b, func(b *testing.B, entries int) {
		path := filepath.Join(b.TempDir(), "state")
		table := New(Config{})
		restore(b, table, entries/benchPopups)
		if err := table.Dump(path, nil, nil); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			loaded := New(Config{})
			if _, _, err := loaded.Load(path); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}
