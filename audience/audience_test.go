package audience

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
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

func TestSetOfExtremes(t *testing.T) {
	in := []uint64{0, 1, 1 << 32, 1<<63 - 1, 1 << 63, ^uint64(0) - 1, ^uint64(0)}
	s := build(t, in)
	for _, f := range in {
		if !s.Has(f) {
			t.Errorf("%#x is not found", f)
		}
	}
	for _, f := range []uint64{2, 1<<32 - 1, 1<<32 + 1, 1<<63 + 1, ^uint64(0) - 2} {
		if s.Has(f) {
			t.Errorf("%#x is found and no member", f)
		}
	}
}

func TestTooManyMembers(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs 160 MB")
	}
	all := make([]uint64, MaxMembers+1)
	random := rand.NewChaCha8([32]byte{1})
	for i := range all {
		all[i] = random.Uint64()
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
