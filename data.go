package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/popupd/popupd/internal/datadir"
)

// keys are the secrets of one deployment.
type keys struct {
	tokens   [][]byte // sign serve tokens; the first is the one in use
	identity [][]byte // sign user ids, if they are signed
	admin    string   // bearer token of the control plane
	state    [16]byte // hashes user ids in the users' state, and in its dump
}

// keyList returns the keys of a flag that takes new,old; none if it is empty.
func keyList(s string) (keys [][]byte) {
	if s == "" {
		return nil
	}
	for key := range strings.SplitSeq(s, ",") {
		keys = append(keys, []byte(strings.TrimSpace(key)))
	}
	return keys
}

// shortKey is the length in bytes below which a key could be found by trying:
// that of -secret with a single token, and nobody would notice.
const shortKey = 16

// short returns the flags whose keys are short.
func (c *config) short() (flags []string) {
	isShort := func(k []byte) bool { return len(k) < shortKey }
	for _, f := range []struct{ name, value string }{{"-secret", c.secret}, {"-identity-secret", c.identitySecret}} {
		if slices.ContainsFunc(keyList(f.value), isShort) {
			flags = append(flags, f.name)
		}
	}
	if c.adminToken != "" && len(c.adminToken) < shortKey {
		flags = append(flags, "-admin-token")
	}
	return flags
}

func hasEmpty(keys [][]byte) bool {
	return slices.ContainsFunc(keys, func(k []byte) bool { return len(k) == 0 })
}

// openData opens the data directory and makes the secrets that the flags do
// not give.
func openData(c config) (*datadir.Dir, keys, error) {
	var k keys
	dir, err := datadir.Open(c.data)
	if err != nil {
		return nil, k, err
	}
	state, err := dir.Secret("state-key")
	if err != nil {
		return nil, k, err
	}
	if _, err := hex.Decode(k.state[:], []byte(state[:2*len(k.state)])); err != nil {
		return nil, k, fmt.Errorf("state key: %w", err)
	}
	if k.admin = c.adminToken; k.admin == "" {
		if k.admin, err = dir.Secret("admin-token"); err != nil {
			return nil, k, err
		}
	}
	secret := c.secret
	if secret == "" {
		if secret, err = dir.Secret("secret"); err != nil {
			return nil, k, err
		}
	}
	k.tokens, k.identity = keyList(secret), keyList(c.identitySecret)
	return dir, k, nil
}
