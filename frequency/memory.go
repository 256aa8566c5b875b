package frequency

import (
	"os"
)

// heapSlots is up to how many slots come from Go's heap. More are pages of their
// own, which go back to the system when their shard has grown: on the heap they
// would wait for a collection, and that for the heap to double.
const heapSlots = (64 << 10) / slotSize

// allocate returns n empty slots.
func allocate(n int) []slot {
	if n > heapSlots {
		if slots := mapPages(n); slots != nil {
			return slots
		}
		// The system has a limit of mappings, or of memory: let Go find some.
	}
	return make([]slot, n)
}

// release gives back what allocate returned. Nothing may point into it.
func release(slots []slot) {
	if len(slots) > heapSlots {
		unmapPages(slots)
	}
}

// releaseAll gives back the memory of a table that nobody uses any more.
func releaseAll(m memory) {
	for i := range m.shards {
		release(m.shards[i].slots)
		release(m.seen[i].slots)
	}
	for i := range m.holds {
		release(m.holds[i].slots)
	}
}

// memory is what a table holds, without the table.
type memory struct {
	shards []shard
	seen   []sorted
	holds  []sorted
}

// footprint returns the memory that n slots take, in bytes.
func footprint(n int) int64 {
	size := int64(n) * slotSize
	if n > heapSlots {
		page := int64(os.Getpagesize())
		size = (size + page - 1) / page * page
	}
	return size
}
