package frequency

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// check fails if the shard is not in the order that the package comment promises.
func (s *shard) check(t interface{ Fatalf(string, ...any) }) {
	used := 0
	var last *entry
	for i := range s.slots {
		e := &s.slots[i]
		if e.hash == 0 {
			if *e != (entry{}) {
				t.Fatalf("empty slot %d holds %+v", i, *e)
			}
			continue
		}
		used++
		if last != nil && !last.before(e) {
			t.Fatalf("slot %d: %+v after %+v", i, *e, *last)
		}
		last = e
		for j := s.home(e.hash); j < i; j++ {
			if s.slots[j].hash == 0 {
				t.Fatalf("slot %d is empty between the home of %+v and its slot %d", j, *e, i)
			}
		}
		if s.home(e.hash) > i {
			t.Fatalf("slot %d is before the home %d of %+v", i, s.home(e.hash), *e)
		}
	}
	if used != s.used {
		t.Fatalf("%d slots are used, the shard says %d", used, s.used)
	}
	if s.used*loadUnit > s.homes*maxLoad {
		t.Fatalf("%d entries in %d homes", s.used, s.homes)
	}
}

// TestShardLikeSortedSlice compares a shard with a sorted slice. The hashes are
// few and crowd at both ends, so that runs are long and reach into the tail.
func TestShardLikeSortedSlice(t *testing.T) {
	hash := rapid.OneOf(rapid.Uint64Range(1, 4), rapid.Uint64Range(math.MaxUint64-3, math.MaxUint64), rapid.Uint64Range(1, math.MaxUint64))
	id := rapid.Uint32Range(1, 40)
	order := func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.popup, b.popup))
	}
	rapid.Check(t, func(t *rapid.T) {
		var s shard
		var want []entry
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				e := entry{hash: hash.Draw(t, "hash"), popup: id.Draw(t, "popup"), at: 7}
				i, found := slices.BinarySearchFunc(want, e, order)
				if found {
					t.Skip("is there")
				}
				for !s.insert(&e) {
					s.resize(s.next())
				}
				want = slices.Insert(want, i, e)
			},
			"remove": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("empty")
				}
				i := rapid.IntRange(0, len(want)-1).Draw(t, "which")
				lo, hi := s.run(want[i].hash)
				for j := lo; j < hi; j++ {
					if s.slots[j].popup == want[i].popup {
						s.remove(j)
						want = slices.Delete(want, i, i+1)
						return
					}
				}
				t.Fatalf("%+v not found in slots %d to %d", want[i], lo, hi)
			},
			"": func(t *rapid.T) {
				s.check(t)
				if got := s.snapshot(nil); !slices.Equal(got, want) {
					t.Fatalf("got  %+v\nwant %+v", got, want)
				}
				h := hash.Draw(t, "looked up")
				lo, hi := s.run(h)
				n := 0
				for _, e := range want {
					if e.hash == h {
						n++
					}
				}
				if hi-lo != n {
					t.Fatalf("hash %#x has %d entries, want %d", h, hi-lo, n)
				}
			},
		})
	})
}

// TestManyPopupsOfOneUser needs a tail as long as the user's run.
func TestManyPopupsOfOneUser(t *testing.T) {
	s := shard{}
	for id := uint32(1); id <= 3000; id++ {
		e := entry{hash: math.MaxUint64, popup: id}
		for !s.insert(&e) {
			s.resize(s.next())
		}
	}
	s.check(t)
	if got := len(s.slots); got > 12000 {
		t.Errorf("%d slots for 3000 entries", got)
	}
}
