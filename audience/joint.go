package audience

// MaxJoint is how many sets a [Joint] may have.
const MaxJoint = 255

// Joint tells of many sets at once which few of them a fingerprint may be in. It does not
// change, and is safe for concurrent use.
//
// Of each member of each set it has an entry, which is a byte of the fingerprint and the number
// of the set, in the line to which the first bits of the fingerprint lead. A line is as long
// as one of the processor's cache, so a search waits for memory once, where asking the sets
// waits twice for each of them. One in ten searches finds a set that the user is not in, which
// [Set.Has] then tells. Of a line with more members than it has room for, all sets may be.
type Joint struct {
	sets  []*Set
	lines []line
}

type line [32]uint16

const (
	entriesPerLine = 20     // on average: one line in 200 has more than it has room for
	overflown      = 0xff00 // the last entry of a line that has more; no set has the number 0
)

// Candidates are sets of a [Joint].
type Candidates [(MaxJoint + 1) / 64]uint64

// Has reports whether a set is one of them. Sets have numbers from 1 on.
func (c *Candidates) Has(number int) bool { return c[number/64]>>(number%64)&1 != 0 }

// NewJoint returns the joint of up to [MaxJoint] sets. It keeps the slice, and takes about 50 ns
// a member.
func NewJoint(sets []*Set) *Joint {
	members := 0
	for _, s := range sets {
		members += s.members
	}
	j := &Joint{sets, make([]line, members/entriesPerLine+1)}
	filled := make([]uint8, len(j.lines))
	for i, s := range sets {
		s.eachKey(func(key uint32) {
			at := j.lineOf(key)
			if n := filled[at]; int(n) < len(line{}) {
				j.lines[at][n] = uint16(key)<<8 | uint16(i+1)
				filled[at]++
			} else {
				j.lines[at][n-1] = overflown
			}
		})
	}
	return j
}

// Sets returns the sets, in the order of their numbers. The caller must not change the slice.
func (j *Joint) Sets() []*Set {
	if j == nil {
		return nil
	}
	return j.sets
}

// Candidates returns the sets that the fingerprint may be in. It does not allocate.
func (j *Joint) Candidates(fingerprint uint64) (c Candidates) {
	key := uint32(fingerprint >> 32)
	l := &j.lines[j.lineOf(key)]
	if l[len(l)-1] == overflown {
		for i := range c {
			c[i] = ^uint64(0)
		}
		return c
	}
	tag := uint16(key) << 8
	for _, entry := range l {
		if number := entry ^ tag; number != 0 && number <= MaxJoint {
			c[number/64] |= 1 << (number % 64)
		}
	}
	return c
}

// Bytes returns how much memory the joint takes beside its sets.
func (j *Joint) Bytes() int {
	if j == nil {
		return 0
	}
	return len(j.lines) * len(line{}) * 2
}

func (j *Joint) lineOf(key uint32) uint64 { return uint64(key) * uint64(len(j.lines)) >> 32 }

// eachKey calls f with the first 32 bits of each member, which its bucket and remainder tell: the
// product of which they are the first bits, see locate, grows past a multiple of 2^32 wherever
// the fingerprint does.
func (s *Set) eachKey(f func(key uint32)) {
	buckets := uint64(len(s.blocks) * bucketsPerBlock)
	for i := range s.blocks {
		b := &s.blocks[i]
		for k := range uint64(bucketsPerBlock) {
			bucket := uint64(i)*bucketsPerBlock + k
			for _, r := range s.remainders[b.first+uint32(b.ends[k]) : b.first+uint32(b.ends[k+1])] {
				f(uint32((bucket<<32 | uint64(r)) / buckets))
			}
		}
	}
}
