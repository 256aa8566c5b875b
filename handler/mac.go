package handler

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
)

// mac computes HMAC-SHA256 under one key without allocating. It keeps the state
// of a hash, so it serves one goroutine at a time.
type mac struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

func newMAC(key []byte) *mac { return &mac{hash: hmac.New(sha256.New, key)} }

// of returns the MAC of the parts put together. It is overwritten by the next call.
func (m *mac) of(parts ...[]byte) []byte {
	m.hash.Reset()
	for _, p := range parts {
		m.hash.Write(p)
	}
	return m.hash.Sum(m.sum[:0])
}

// Identity says what becomes of polls whose uid is not signed.
type Identity string

// The modes of [Config.Identity].
const (
	IdentityOff     Identity = "off"     // sig is ignored
	IdentityMonitor Identity = "monitor" // checked and counted, not required
	IdentityEnforce Identity = "enforce" // required: 401 otherwise
)

// signers are the keys that user ids may be signed with. They serve one
// goroutine at a time.
type signers []*mac

// signed reports whether sig is the lower- or upper-case hex of the MAC of uid
// under one of the keys.
func (s signers) signed(uid, sig []byte) bool {
	var given [sha256.Size]byte
	if len(sig) != hex.EncodedLen(len(given)) {
		return false
	}
	if _, err := hex.Decode(given[:], sig); err != nil {
		return false
	}
	for _, m := range s {
		if subtle.ConstantTimeCompare(m.of(uid), given[:]) == 1 {
			return true
		}
	}
	return false
}
