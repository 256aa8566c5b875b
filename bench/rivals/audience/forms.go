package main

import (
	"math/bits"
	"slices"

	"github.com/FastFilter/xorfilter"

	"github.com/popupd/popupd/audience"
)

// forms lists what is measured.
func forms() []form {
	return []form{
		{"32-bit remainders in buckets (popupd)", func(f []uint64) (set, error) { return audience.Build(f) }},
		{"sorted 64-bit, binary search", func(f []uint64) (set, error) { return sorted(unique(f)), nil }},
		{"sorted 64-bit, with an index", func(f []uint64) (set, error) { return newIndexed(unique(f)), nil }},
		{"binary fuse filter, 32 bits", newFuse},
		{"Elias-Fano, 56 bits", func(f []uint64) (set, error) { return newEliasFano(unique(f)), nil }},
		{"hash table, open addressing", func(f []uint64) (set, error) { return newTable(f), nil }},
		{"map[uint64]struct{}", func(f []uint64) (set, error) { return newMap(f), nil }},
	}
}

func unique(f []uint64) []uint64 {
	slices.Sort(f)
	return slices.Clip(slices.Clone(slices.Compact(f)))
}

type sorted []uint64

func (s sorted) Has(f uint64) bool { _, ok := slices.BinarySearch(s, f); return ok }

// indexed is sorted, and knows where the fingerprints begin that share their leading bits,
// about eight of them.
type indexed struct {
	all   []uint64
	first []uint32
	shift int
}

func newIndexed(all []uint64) *indexed {
	s := &indexed{all: all, shift: 64 - max(bits.Len(uint(len(all)/8)), 1)}
	s.first = make([]uint32, 1<<(64-s.shift)+1)
	for _, f := range all {
		s.first[f>>s.shift+1]++
	}
	for i := range s.first[1:] {
		s.first[i+1] += s.first[i]
	}
	return s
}

func (s *indexed) Has(f uint64) bool {
	return slices.Contains(s.all[s.first[f>>s.shift]:s.first[f>>s.shift+1]], f)
}

type fuse struct{ xorfilter.BinaryFuse[uint32] }

func newFuse(f []uint64) (set, error) {
	filter, err := xorfilter.NewBinaryFuse[uint32](f)
	if err != nil {
		return nil, err
	}
	return &fuse{*filter}, nil
}

func (s *fuse) Has(f uint64) bool { return s.Contains(f) }

// eliasFano has the low bits of 56-bit fingerprints side by side, and of the high bits a one
// for each member and a zero for each value, with the position of each 64th zero.
type eliasFano struct {
	low   int
	lows  []uint64
	high  []uint64
	zeros []uint32
}

func newEliasFano(all []uint64) *eliasFano {
	n := len(all)
	s := &eliasFano{low: 56 - max(bits.Len(uint(n))-1, 0)}
	s.lows = make([]uint64, (n*s.low+63)/64+1)
	values := 1 << (56 - s.low)
	s.high = make([]uint64, (n+values+63)/64+1)
	for i, f := range all {
		f >>= 8
		at := i * s.low
		low := f & (1<<s.low - 1)
		s.lows[at/64] |= low << (at % 64)
		if at%64+s.low > 64 {
			s.lows[at/64+1] |= low >> (64 - at%64)
		}
		one := int(f>>s.low) + i
		s.high[one/64] |= 1 << (one % 64)
	}
	zeros := 0
	for i := range n + values {
		if s.high[i/64]>>(i%64)&1 == 0 {
			if zeros%64 == 0 {
				s.zeros = append(s.zeros, uint32(i))
			}
			zeros++
		}
	}
	return s
}

// zero returns the position of a zero.
func (s *eliasFano) zero(k int) int {
	at, left := int(s.zeros[k/64]), k%64
	word := ^s.high[at/64] >> (at % 64) << (at % 64)
	i := at / 64
	for {
		if n := bits.OnesCount64(word); n > left {
			break
		} else {
			left -= n
		}
		i++
		word = ^s.high[i]
	}
	for range left {
		word &= word - 1
	}
	return i*64 + bits.TrailingZeros64(word)
}

func (s *eliasFano) Has(f uint64) bool {
	f >>= 8
	value, low := int(f>>s.low), f&(1<<s.low-1)
	at := 0
	if value > 0 {
		at = s.zero(value-1) + 1
	}
	for ; s.high[at/64]>>(at%64)&1 == 1; at++ {
		bit := (at - value) * s.low
		got := s.lows[bit/64] >> (bit % 64)
		if bit%64+s.low > 64 {
			got |= s.lows[bit/64+1] << (64 - bit%64)
		}
		if got&(1<<s.low-1) == low {
			return true
		}
	}
	return false
}

// table has the fingerprints themselves; 0 is a free place.
type table []uint64

func newTable(f []uint64) table {
	t := make(table, len(f)*4/3+1)
	for _, f := range f {
		i := t.home(f)
		for t[i] != 0 && t[i] != f {
			i = (i + 1) % len(t)
		}
		t[i] = f
	}
	return t
}

func (t table) home(f uint64) int {
	i, _ := bits.Mul64(f, uint64(len(t)))
	return int(i)
}

func (t table) Has(f uint64) bool {
	for i := t.home(f); t[i] != 0; i++ {
		if t[i] == f {
			return true
		}
		if i == len(t)-1 {
			i = -1
		}
	}
	return false
}

type hashed map[uint64]struct{}

func newMap(f []uint64) hashed {
	m := make(hashed, len(f))
	for _, f := range f {
		m[f] = struct{}{}
	}
	return m
}

func (m hashed) Has(f uint64) bool { _, ok := m[f]; return ok }
