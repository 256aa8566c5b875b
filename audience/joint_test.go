package audience

import (
	"slices"
	"testing"
)

// No member is missed, in sets of all sizes and however many members a line has, and few
// others are found.
func TestJoint(t *testing.T) {
	var sets []*Set
	var members [][]uint64
	for i, n := range []int{0, 1, 2, 30, 81, 1000, 100_000, 300_000} {
		in := fingerprints(i*1_000_000, n)
		in = append(in, fingerprints(99_000_000, 50)...) // in all of them
		members, sets = append(members, in), append(sets, build(t, in))
	}
	extremes := []uint64{0, 1, 1<<32 - 1, 1 << 32, 1 << 63, ^uint64(0) - 1, ^uint64(0)}
	for len(sets) < MaxJoint { // of a small set fewer bits of its members are known
		in := append(fingerprints(len(sets)*1_000_000, 20), extremes...)
		members, sets = append(members, in), append(sets, build(t, in))
	}
	j := NewJoint(sets)
	for i, in := range members {
		for _, f := range in {
			if c := j.Candidates(f); !sets[i].Has(f) || !c.Has(i+1) {
				t.Fatalf("set %d: member %#x is missed", i, f)
			}
		}
	}
	found := 0
	outside := fingerprints(88_000_000, 100_000)
	for _, f := range outside {
		if c := j.Candidates(f); c != (Candidates{}) {
			found++
		}
	}
	if found == 0 || found > len(outside)/8 {
		t.Errorf("sets are found for %d of %d others", found, len(outside))
	}
	if !slices.Equal(j.Sets(), sets) || j.Bytes() < 400_000*2 || j.Bytes() > 450_000*4 {
		t.Errorf("%d sets, %d bytes", len(j.Sets()), j.Bytes())
	}
	if allocated := testing.AllocsPerRun(100, func() { j.Candidates(extremes[1]) }); allocated != 0 {
		t.Errorf("a search allocates %v times", allocated)
	}
	var none *Joint
	if none.Sets() != nil || none.Bytes() != 0 {
		t.Error("no joint has sets")
	}
}
