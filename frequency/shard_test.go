package frequency

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// check fails if the shard is not in the order that the package comment promises.
func (s *shard) check(t interface{ Fatalf(string, ...any) }) {
	used, long := 0, 0
	var last entry
	for i := range s.slots {
		v := &s.slots[i]
		if v.key == 0 {
			if *v != (slot{}) {
				t.Fatalf("empty slot %d holds %+v", i, *v)
			}
			continue
		}
		used++
		for j := s.home(v.key); j < i; j++ {
			if s.slots[j].key == 0 {
				t.Fatalf("slot %d is empty between the home of %#x and its slot %d", j, v.key, i)
			}
		}
		if s.home(v.key) > i {
			t.Fatalf("slot %d is before the home %d of %#x", i, s.home(v.key), v.key)
		}
		if v.key&isTail != 0 {
			if i == 0 || s.slots[i-1].key&isLong == 0 || !s.slots[i-1].has(keyOf(v.key>>flagBits)) {
				t.Fatalf("slot %d is a tail of nothing", i)
			}
			continue
		}
		if v.key&isLong != 0 {
			long++
			if i+1 == len(s.slots) || s.slots[i+1].key&isTail == 0 {
				t.Fatalf("slot %d has no tail", i)
			}
		}
		e := s.unpack(i, v.key>>flagBits)
		if used > 1 && (last.hash > e.hash || last.hash == e.hash && last.popup >= e.popup) {
			t.Fatalf("slot %d: %+v after %+v", i, e, last)
		}
		last = e
	}
	if used != s.used || long != s.long {
		t.Fatalf("%d slots are used, %d entries are long, the shard says %d and %d", used, long, s.used, s.long)
	}
	if s.used*loadUnit > s.homes*maxLoad {
		t.Fatalf("%d slots used of %d homes", s.used, s.homes)
	}
}

// TestShardLikeSortedSlice compares a shard with a sorted slice. The hashes are
// few and crowd at both ends, so that runs are long and reach into the tail; some
// entries take two slots.
func TestShardLikeSortedSlice(t *testing.T) {
	const top = 1<<hashBits - 1
	hash := rapid.OneOf(rapid.Uint64Range(1, 4), rapid.Uint64Range(top-3, top), rapid.Uint64Range(1, top))
	id := rapid.Uint32Range(1, 40)
	order := func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.popup, b.popup))
	}
	rapid.Check(t, func(t *rapid.T) {
		var s shard
		var want []entry
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				e := drawEntry(t, hash.Draw(t, "hash"), id.Draw(t, "popup"))
				i, found := slices.BinarySearchFunc(want, e, order)
				if found {
					t.Skip("is there")
				}
				for !s.insert(&e) {
					s.resize(s.next())
				}
				want = slices.Insert(want, i, e)
			},
			"replace": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("empty")
				}
				i := rapid.IntRange(0, len(want)-1).Draw(t, "which")
				e := drawEntry(t, want[i].hash, want[i].popup)
				for !s.replace(s.slotOf(t, &want[i]), &e) {
					s.resize(s.next())
				}
				want[i] = e
			},
			"remove": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("empty")
				}
				i := rapid.IntRange(0, len(want)-1).Draw(t, "which")
				s.remove(s.slotOf(t, &want[i]))
				want = slices.Delete(want, i, i+1)
			},
			"": func(t *rapid.T) {
				s.check(t)
				table := &Table{shards: make([]shard, 1)}
				table.shards[0].sorted = s.sorted
				if got := table.snapshot(nil, 0); !slices.Equal(got, want) {
					t.Fatalf("got  %+v\nwant %+v", got, want)
				}
				h := hash.Draw(t, "looked up")
				lo, hi := s.run(keyOf(h))
				n := 0
				for _, e := range want {
					if e.hash == h {
						n++
						if !e.fits() {
							n++
						}
					}
				}
				if hi-lo != n {
					t.Fatalf("hash %#x has %d slots, want %d", h, hi-lo, n)
				}
			},
		})
	})
}

// drawEntry draws an entry of which some take two slots.
func drawEntry(t *rapid.T, hash uint64, id uint32) entry {
	e := entry{hash: hash, popup: id, at: 7, served: 7, next: 9, last: popup.Impression}
	if rapid.IntRange(0, 3).Draw(t, "long") == 0 {
		e.clickUntil = 8
	}
	return e
}

// slotOf returns the first slot of an entry that must be there.
func (s *shard) slotOf(t *rapid.T, e *entry) int {
	lo, hi := s.run(keyOf(e.hash))
	for i := lo; i < hi; i += s.width(i) {
		if s.popup(i) == e.popup {
			return i
		}
	}
	t.Fatalf("%+v not found in slots %d to %d", *e, lo, hi)
	return -1
}

// TestManyPopupsOfOneUser needs a tail as long as the user's run.
func TestManyPopupsOfOneUser(t *testing.T) {
	s := shard{}
	for id := uint32(1); id <= 3000; id++ {
		e := entry{hash: 1<<hashBits - 1, popup: id}
		for !s.insert(&e) {
			s.resize(s.next())
		}
	}
	s.check(t)
	if got := len(s.slots); got > 12000 {
		t.Errorf("%d slots for 3000 entries", got)
	}
}
