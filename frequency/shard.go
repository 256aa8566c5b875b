package frequency

import (
	"math/bits"
	"sync"
)

// shard is a sorted run of entries, see the package comment. A method other
// than the mutex's needs the mutex.
type shard struct {
	mu       sync.Mutex
	slots    []entry // the homes, then the tail
	homes    int     // slots that an entry can have as its home
	used     int
	scanMS   int64 // when the whole shard was last searched for expired entries
	skipBits uint8 // leading bits of the hash that chose the shard
	_        [15]byte
}

// A shard grows when it would be filled to more than maxLoad/loadUnit.
const (
	maxLoad  = 7
	loadUnit = 8
)

func (s *shard) home(hash uint64) int {
	hi, _ := bits.Mul64(hash<<s.skipBits, uint64(s.homes))
	return int(hi)
}

// run returns where the entries of a user are or would be: slots lo to hi-1.
func (s *shard) run(hash uint64) (lo, hi int) {
	if s.homes == 0 {
		return 0, 0
	}
	lo = s.home(hash)
	// Minus one, an empty slot has the greatest hash of all and ends the search too.
	for lo < len(s.slots) && s.slots[lo].hash-1 < hash-1 {
		lo++
	}
	hi = lo
	for hi < len(s.slots) && s.slots[hi].hash == hash {
		hi++
	}
	return lo, hi
}

// crowded reports whether one more entry is too many for the homes.
func (s *shard) crowded() bool { return (s.used+1)*loadUnit > s.homes*maxLoad }

// insert adds an entry that is not there yet. It reports whether there was
// room; if not, nothing has changed.
func (s *shard) insert(e *entry) bool {
	if s.crowded() {
		return false
	}
	i, _ := s.run(e.hash)
	for i < len(s.slots) && s.slots[i].hash != 0 && s.slots[i].before(e) {
		i++
	}
	end := i
	for end < len(s.slots) && s.slots[end].hash != 0 {
		end++
	}
	if end == len(s.slots) {
		return false
	}
	copy(s.slots[i+1:end+1], s.slots[i:end])
	s.slots[i] = *e
	s.used++
	return true
}

// remove empties slot i and moves back what was displaced by its entry.
func (s *shard) remove(i int) {
	end := i + 1
	for end < len(s.slots) && s.slots[end].hash != 0 && s.home(s.slots[end].hash) < end {
		end++
	}
	copy(s.slots[i:end-1], s.slots[i+1:end])
	s.slots[end-1] = entry{}
	s.used--
}

// next returns the homes and slots that the shard should grow to: an eighth
// more homes, or only a longer tail if that is what is missing. More homes never
// need a longer tail: the distance of a home to the last one grows with them.
func (s *shard) next() (homes, slots int) {
	homes, tail := s.homes, len(s.slots)-s.homes
	if s.crowded() {
		homes += homes/8 + 8
		return homes, homes + max(tail, homes/64+8)
	}
	return homes, homes + 2*tail
}

// resize moves all entries into larger slots; the arguments are those of next.
func (s *shard) resize(homes, slots int) {
	old := s.slots
	s.slots, s.homes = make([]entry, slots), homes
	end := 0
	for i := range old {
		if h := old[i].hash; h != 0 {
			end = max(end, s.home(h))
			s.slots[end] = old[i]
			end++
		}
	}
}
