package frequency

import (
	"math/bits"
	"sync"
)

// shard is a part of the entries. A method other than the mutex's needs the mutex.
type shard struct {
	mu sync.Mutex
	sorted
	long   int   // entries that take two slots
	scanMS int64 // when the whole shard was last searched for expired entries
}

// sorted is a hash table whose slots are sorted, see the package comment. It knows of
// a slot its key only.
type sorted struct {
	slots []slot // the homes, then the tail; from allocate
	homes int    // slots that can be a home
	used  int    // slots that are not empty
}

// A shard grows when it would be filled to more than maxLoad/loadUnit.
const (
	maxLoad  = 7
	loadUnit = 8
)

func (s *sorted) home(key uint64) int {
	hi, _ := bits.Mul64(key>>flagBits<<flagBits, uint64(s.homes))
	return int(hi)
}

// run returns where the slots of the user with this key are or would be:
// slots lo to hi-1.
func (s *sorted) run(key uint64) (lo, hi int) {
	if s.homes == 0 {
		return 0, 0
	}
	slots := s.slots
	lo = s.home(key)
	// Minus one, an empty slot has the greatest key of all and ends the search too.
	for lo < len(slots) && slots[lo].key-1 < key-1 {
		lo++
	}
	hi = lo
	few := min(lo+fewSlots, len(slots))
	for hi < few && slots[hi].has(key) {
		hi++
	}
	if hi == lo+fewSlots {
		hi = s.end(hi, key)
	}
	return lo, hi
}

// fewSlots is up to how many slots of a user are gone through one by one. Among thousands of
// popups users have thousands.
const fewSlots = 16

// end returns where the slots of a user end that go on up to from at least: it doubles its
// steps, then halves them.
func (s *sorted) end(from int, key uint64) int {
	step := fewSlots
	for from+step <= len(s.slots) && s.slots[from+step-1].has(key) {
		from += step
		step *= 2
	}
	for step > 0 {
		if from+step <= len(s.slots) && s.slots[from+step-1].has(key) {
			from += step
		}
		step /= 2
	}
	return from
}

// crowded reports whether n more slots are too many for the homes.
func (s *sorted) crowded(n int) bool { return (s.used+n)*loadUnit > s.homes*maxLoad }

// insert adds an entry that is not there yet. It reports whether there was
// room; if not, nothing has changed.
func (s *shard) insert(e *entry) bool {
	head, tail, long := e.pack()
	i, hi := s.run(keyOf(e.hash))
	for i < hi && s.popup(i) < e.popup {
		i += s.width(i)
	}
	if !long {
		return s.put(i, head)
	}
	if s.crowded(2) || !s.put(i, tail) {
		return false
	}
	if !s.put(i, head) {
		s.empty(i)
		return false
	}
	s.long++
	return true
}

// put makes a slot at i for v. It reports whether there was room.
func (s *sorted) put(i int, v slot) bool {
	if s.crowded(1) {
		return false
	}
	end := i
	for end < len(s.slots) && s.slots[end].key != 0 {
		end++
	}
	if end == len(s.slots) {
		return false
	}
	copy(s.slots[i+1:end+1], s.slots[i:end])
	s.slots[i] = v
	s.used++
	return true
}

// replace changes the entry whose first slot is i to e, of the same user and
// popup. It reports whether there was room; if not, nothing has changed.
func (s *shard) replace(i int, e *entry) bool {
	head, tail, long := e.pack()
	switch wasLong := s.width(i) == 2; {
	case long && wasLong:
		s.slots[i+1] = tail
	case long:
		if !s.put(i+1, tail) {
			return false
		}
		s.long++
	case wasLong:
		s.empty(i + 1)
		s.long--
	}
	s.slots[i] = head
	return true
}

// remove removes the entry whose first slot is i.
func (s *shard) remove(i int) {
	if s.width(i) == 2 {
		s.empty(i + 1)
		s.long--
	}
	s.empty(i)
}

// empty empties slot i and moves back what was displaced by it.
func (s *sorted) empty(i int) {
	end := i + 1
	for end < len(s.slots) && s.slots[end].key != 0 && s.home(s.slots[end].key) < end {
		end++
	}
	copy(s.slots[i:end-1], s.slots[i+1:end])
	s.slots[end-1] = slot{}
	s.used--
}

// next returns the homes and slots that the shard should grow to, to have room
// for a slot or two: an eighth more homes, or only a longer tail if that is what
// is missing. More homes never need a longer tail: the distance of a home to the
// last one grows with them.
func (s *sorted) next() (homes, slots int) {
	homes, tail := s.homes, len(s.slots)-s.homes
	if s.crowded(2) {
		homes += homes/8 + 8
		return homes, homes + max(tail, homes/64+8)
	}
	return homes, homes + 2*tail
}

// resize moves all entries into larger slots; the arguments are those of next.
func (s *sorted) resize(homes, slots int) {
	old := s.slots
	s.slots, s.homes = allocate(slots), homes
	end := 0
	for i := range old {
		if k := old[i].key; k != 0 {
			end = max(end, s.home(k))
			s.slots[end] = old[i]
			end++
		}
	}
	release(old)
}
