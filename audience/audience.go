// Package audience holds a list of user ids, compiled: millions of users in less than
// 4.5 bytes each, and the answer whether a user is one of them.
//
// A [Set] knows fingerprints, not ids: 64 bits of SipHash-2-4 under a key of the deployment,
// which nobody outside knows, so that nobody can aim for the fingerprint of a member. Of each
// it keeps as many bits as the answer needs. A user who is in the list is always found. One
// who is not is found with a probability of at most 3/2^32, once in 1.4 * 10^9 users.
//
// bench/results/audience.md has what else was measured. Parsing uploads, storing lists and
// deciding which list a user must be in live elsewhere.
package audience

import (
	"encoding/binary"

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
