// Package audience holds a list of user ids, compiled: millions of users in a few bytes
// each, and the answer whether a user is one of them within nanoseconds.
//
// A [Set] knows fingerprints, not ids: 64 bits of SipHash-2-4 under a key of the deployment,
// which nobody outside knows, so that nobody can make an id that has another one's
// fingerprint. A user who is in the list is always found. One who is not is found too if the
// fingerprints are the same: among n members once in 2^64/n users, which is once in 1.8 * 10^12
// of 10 million.
//
// Parsing uploads, storing lists and deciding which list a user must be in live elsewhere.
package audience

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/popupd/popupd/internal/siphash"
)

// MaxMembers is how many users a list may have.
const MaxMembers = 10_000_000

// Key is the secret key of a deployment's fingerprints.
type Key [16]byte

// Fingerprint returns the fingerprint of a user id. It is the same for every list.
func Fingerprint(k Key, user []byte) uint64 {
	return siphash.Sum64(binary.LittleEndian.Uint64(k[:8]), binary.LittleEndian.Uint64(k[8:]), user)
}

// ErrTooMany means that a list has more than [MaxMembers] members.
var ErrTooMany = errors.New("too many members")

// Set is a set of fingerprints that does not change. Its zero value is empty. It is safe for
// concurrent use.
type Set struct {
	sorted []uint64
}

// Build makes a set of the fingerprints, of which some may be there several times. It sorts
// them in place; the set does not keep the slice.
func Build(fingerprints []uint64) (*Set, error) {
	slices.Sort(fingerprints)
	fingerprints = slices.Compact(fingerprints)
	if len(fingerprints) > MaxMembers {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(fingerprints), MaxMembers)
	}
	return &Set{sorted: slices.Clone(fingerprints)}, nil
}

// Has reports whether a user with this fingerprint is a member.
func (s *Set) Has(fingerprint uint64) bool {
	_, found := slices.BinarySearch(s.sorted, fingerprint)
	return found
}

// Len returns how many members the set has.
func (s *Set) Len() int { return len(s.sorted) }

// Bytes returns how much memory the set takes.
func (s *Set) Bytes() int { return 8 * len(s.sorted) }
