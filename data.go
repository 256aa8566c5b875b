package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/popupd/popupd/internal/datadir"
)

// keys are the secrets of one deployment.
type keys struct {
	tokens [][]byte // sign serve tokens; the first is the one in use
	admin  string   // bearer token of the control plane
	state  [16]byte // hashes user ids in the users' state, and in its dump
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
	for s := range strings.SplitSeq(secret, ",") {
		k.tokens = append(k.tokens, []byte(s))
	}
	return dir, k, nil
}
