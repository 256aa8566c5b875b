package server

import (
	"encoding/hex"
	"fmt"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/datadir"
)

// keys are the secrets of one deployment.
type keys struct {
	tokens   [][]byte // sign serve tokens; the first is the one in use
	identity [][]byte // sign user ids, if they are signed
	admin    string   // bearer token of the control plane
	state    [16]byte // hashes user ids in the users' state, and in its dump
}

// openData opens the data directory and makes the secrets that the flags do
// not give.
func openData(c cli.Serve) (dir *datadir.Dir, k keys, err error) {
	if dir, err = datadir.Open(c.Data); err != nil {
		return nil, k, err
	}
	state, err := dir.Secret("state-key")
	if err != nil {
		return nil, k, err
	}
	if _, err := hex.Decode(k.state[:], []byte(state[:2*len(k.state)])); err != nil {
		return nil, k, fmt.Errorf("state key: %w", err)
	}
	if k.admin, err = given(c.AdminToken, dir, "admin-token"); err != nil {
		return nil, k, err
	}
	secret, err := given(c.Secret, dir, "secret")
	if err != nil {
		return nil, k, err
	}
	k.tokens, k.identity = cli.Keys(secret), cli.Keys(c.IdentitySecret)
	return dir, k, nil
}

// given returns the value of a flag or, if that is empty, the secret of this
// name in the data directory, which is made if there is none.
func given(value string, dir *datadir.Dir, name string) (string, error) {
	if value != "" {
		return value, nil
	}
	return dir.Secret(name)
}
