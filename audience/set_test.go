package audience

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"testing"
)

// The key 00 01 … 0f and the message 00 01 … 0e are of the reference implementation.
func TestFingerprint(t *testing.T) {
	var k Key
	for i := range k {
		k[i] = byte(i)
	}
	message := k[:15]
	if got, want := Fingerprint(k, message), uint64(0xa129ca6149be45e5); got != want {
		t.Errorf("Fingerprint = %#x, want %#x", got, want)
	}
}

// fingerprints returns those of n users who are named by their numbers from first on.
func fingerprints(first, n int) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = Fingerprint(Key{1}, strconv.AppendInt(nil, int64(first+i), 10))
	}
	return all
}

func build(t testing.TB, fingerprints []uint64) *Set {
	t.Helper()
	s, err := Build(slices.Clone(fingerprints))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSet(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 100, 1000, 100_000} {
		in, out := fingerprints(0, n), fingerprints(n, 100_000)
		s := build(t, append(in, in[:n/2]...)) // half of them twice
		if s.Len() != n {
			t.Errorf("of %d: Len = %d", n, s.Len())
		}
		for i, f := range in {
			if !s.Has(f) {
				t.Errorf("of %d: member %d is not found", n, i)
			}
		}
		for i, f := range out {
			if s.Has(f) {
				t.Errorf("of %d: %d is found and no member", n, n+i)
			}
		}
		for _, f := range []uint64{0, 1, 1 << 63, ^uint64(0)} {
			if s.Has(f) {
				t.Errorf("of %d: %#x is found and no member", n, f)
			}
		}
	}
}

// The first and the last fingerprint that there may be are those of the first and the last
// bucket.
func TestSetOfExtremes(t *testing.T) {
	in := append(fingerprints(0, 1000), 0, 1, 1<<63, ^uint64(0)-1, ^uint64(0))
	s := build(t, in)
	for _, f := range in {
		if !s.Has(f) {
			t.Errorf("%#x is not found", f)
		}
	}
}

// A fingerprint of no member is found if one of the remainders in its bucket is its own. So
// how often that is follows from how many there are on average.
func TestFalsePositives(t *testing.T) {
	const highest = 1e-9
	for _, n := range []int{1, 26, 80, 81, 1000, 1_000_000} {
		s := build(t, fingerprints(0, n))
		compared := 0
		outside := fingerprints(n, 200_000)
		for _, f := range outside {
			bucket, _ := s.locate(f)
			b := &s.blocks[bucket/bucketsPerBlock]
			compared += int(b.ends[bucket%bucketsPerBlock+1] - b.ends[bucket%bucketsPerBlock])
		}
		if rate := float64(compared) / float64(len(outside)) / (1 << 32); rate > highest {
			t.Errorf("of %d members: a false positive rate of %g, more than %g", n, rate, highest)
		}
	}
}

// What differs from a member by the least that a set tells apart is no member, nor is what
// has the remainder of a member of the next bucket.
func TestNeighbours(t *testing.T) {
	in := fingerprints(0, 100_000)
	s := build(t, in)
	width := ^uint64(0) / uint64(len(s.blocks)*bucketsPerBlock)
	step := width >> 31
	found := 0
	for _, f := range in {
		for _, near := range []uint64{f - step, f + step, f - width, f + width} {
			if s.Has(near) {
				found++
			}
		}
	}
	if found > 2 {
		t.Errorf("%d of %d neighbours are found", found, 4*len(in))
	}
}

func TestUneven(t *testing.T) {
	uneven := make([]uint64, 1000)
	for i := range uneven {
		uneven[i] = uint64(i)
	}
	if _, err := Build(uneven); !errors.Is(err, ErrUneven) {
		t.Errorf("numbers for fingerprints: %v, want %v", err, ErrUneven)
	}
}

func TestBytesPerMember(t *testing.T) {
	s := build(t, fingerprints(0, 1_000_000))
	if per := float64(s.Bytes()) / float64(s.Len()); per > 4.5 {
		t.Errorf("%.2f bytes a member, want at most 4.5", per)
	}
}

func TestTooManyMembers(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs 130 MB")
	}
	all := make([]uint64, MaxMembers+1)
	for i := range all {
		all[i] = uint64(i) * (^uint64(0) / uint64(len(all)))
	}
	if _, err := Build(all); !errors.Is(err, ErrTooMany) {
		t.Errorf("%d members: %v, want %v", len(all), err, ErrTooMany)
	}
	if s, err := Build(all[:MaxMembers]); err != nil || s.Len() != MaxMembers {
		t.Errorf("%d members: %v", MaxMembers, err)
	}
}

func TestHasAllocates(t *testing.T) {
	s := build(t, fingerprints(0, 1000))
	user := binary.BigEndian.AppendUint64(nil, 17)
	if n := testing.AllocsPerRun(100, func() { s.Has(Fingerprint(Key{1}, user)) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
