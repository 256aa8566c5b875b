package snapshot

import "github.com/cespare/xxhash/v2"

// The purposes of the published hash, see the package comment. A change of any of
// this, or of negLog2, moves users in and out of rollouts and between variants.
const (
	purposeRollout = "rollout"
	purposeVariant = "variant"
	purposeHoldout = "holdout"

	rolloutSteps = 10_000
)

// stickyHash is the published hash for one purpose and salt.
type stickyHash struct{ prefix xxhash.Digest }

func newStickyHash(purpose, salt string) stickyHash {
	var l stickyHash
	l.prefix.Reset()
	// A Digest accepts everything and never returns an error.
	l.prefix.WriteString(purpose + "\x00" + salt + "\x00")
	return l
}

func (l *stickyHash) sum(user []byte) uint64 {
	d := l.prefix
	d.Write(user)
	return d.Sum64()
}
