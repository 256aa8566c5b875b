package frequency

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// TestMemoryOfATable grows one shard from Go's heap into mappings, to about the
// size that it has in a table of ten million entries.
func TestMemoryOfATable(t *testing.T) {
	table := newTable(Config{}, 0)
	const users = 20_000
	worst := 0.0
	for i := range users {
		serve(t, table, fmt.Sprint("u", i), 1, &defaults, noon)
		if i >= users/2 {
			worst = max(worst, float64(table.bytes.Load())/float64(i+1))
		}
	}
	if worst > 32 {
		t.Errorf("%.1f bytes an entry at worst, want at most 32", worst)
	}
	s := &table.shards[0]
	s.check(t)
	if len(s.slots) <= heapSlots {
		t.Fatalf("%d slots are not more than the heap's %d", len(s.slots), heapSlots)
	}
	if got, want := table.bytes.Load(), footprint(len(s.slots)); got != want {
		t.Errorf("%d bytes are counted, want %d", got, want)
	}
	for i := range users {
		if u := table.Lock([]byte(fmt.Sprint("u", i))); !u.Known() {
			t.Fatalf("u%d is not known", i)
		} else {
			u.Unlock()
		}
	}
}

// TestMemoryGoesBack makes and drops tables whose slots are not on Go's heap.
func TestMemoryGoesBack(t *testing.T) {
	shown := popup.State{ServedAtMS: noon, AtMS: noon, Last: popup.Impression, NextAtMS: noon + day}
	before := resident(t)
	for range 5 {
		table := newTable(Config{}, 2)
		for i := range 200_000 {
			u := table.lockHash(uint64(i) * 0x9e3779b97f4a7c15)
			u.merge(1, shown, noon, table.maxBytes)
			u.Unlock()
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for grown := int64(1 << 40); grown > 20<<20; grown = resident(t) - before {
		if time.Now().After(deadline) {
			t.Fatalf("%d MB more are resident than before", grown>>20)
		}
		runtime.GC()
	}
}

// resident returns how much of the process is in memory, in bytes.
func resident(t testing.TB) int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
