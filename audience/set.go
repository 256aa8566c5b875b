package audience

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unsafe"
)

// What a list may be refused for.
var (
	ErrTooMany = errors.New("too many members")
	ErrUneven  = errors.New("the fingerprints are not evenly distributed")
)

// Set is a set of fingerprints that does not change. It is safe for concurrent use.
//
// The range of fingerprints is cut into as many equal buckets as there are thirds of
// members, and of each member only its remainder is kept: the 32 bits that say where in its
// bucket it is. A search reads the bounds of one bucket and compares about three remainders,
// so it waits for memory twice. What it may mistake for a member has the same bucket and
// one of these remainders, by chance.
type Set struct {
	blocks     []block
	remainders []uint32 // by bucket; [window] more than there are members
	members    int
}

// block is the bounds of some buckets that follow each other, in half a cache line.
type block struct {
	first uint32                     // the first remainder of its first bucket
	ends  [1 + bucketsPerBlock]uint8 // 0, and of each bucket how many remainders there are up to its end
}

const (
	bucketsPerBlock  = 27
	membersPerBucket = 3 // on average, at most
	// window is how many remainders Has compares at once: most buckets have no more, and
	// branches that are never taken cost less than a loop of unknown length.
	window = 8
)

// newSet returns a set with room for so many members.
func newSet(members int) *Set {
	return &Set{
		blocks:     make([]block, members/(membersPerBucket*bucketsPerBlock)+1),
		remainders: make([]uint32, members+window),
		members:    members,
	}
}

// locate returns the bucket of a fingerprint and its remainder in there. Both grow with
// the fingerprint.
func (s *Set) locate(fingerprint uint64) (bucket uint64, remainder uint32) {
	bucket, within := bits.Mul64(fingerprint, uint64(len(s.blocks)*bucketsPerBlock))
	return bucket, uint32(within >> 32)
}

// Build makes a set of the fingerprints, of which some may be there several times. It sorts
// them in place; the set does not keep the slice. It returns [ErrTooMany], or [ErrUneven] for
// what is not made by [Fingerprint].
func Build(fingerprints []uint64) (*Set, error) {
	slices.Sort(fingerprints)
	fingerprints = slices.Compact(fingerprints)
	if len(fingerprints) > MaxMembers {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(fingerprints), MaxMembers)
	}
	s := newSet(len(fingerprints))
	next := 0
	for i := range s.blocks {
		b := &s.blocks[i]
		b.first = uint32(next)
		for j := range uint64(bucketsPerBlock) {
			for next < len(fingerprints) {
				bucket, remainder := s.locate(fingerprints[next])
				if bucket != uint64(i)*bucketsPerBlock+j {
					break
				}
				s.remainders[next] = remainder
				next++
			}
			if next-int(b.first) > math.MaxUint8 {
				return nil, ErrUneven
			}
			b.ends[j+1] = uint8(next - int(b.first))
		}
	}
	return s, nil
}

// Has reports whether a user with this fingerprint is a member.
func (s *Set) Has(fingerprint uint64) bool {
	bucket, remainder := s.locate(fingerprint)
	b := &s.blocks[bucket/bucketsPerBlock]
	i := bucket % bucketsPerBlock
	begin, end := uint(b.first)+uint(b.ends[i]), uint(b.first)+uint(b.ends[i+1])
	for j, r := range (*[window]uint32)(s.remainders[begin:]) {
		if r == remainder && begin+uint(j) < end {
			return true
		}
	}
	return end > begin+window && slices.Contains(s.remainders[begin+window:end], remainder)
}

// Len returns how many members the set has.
func (s *Set) Len() int { return s.members }

// Bytes returns how much memory the set takes.
func (s *Set) Bytes() int {
	return int(unsafe.Sizeof(*s)) + len(s.blocks)*int(unsafe.Sizeof(block{})) + len(s.remainders)*4
}
