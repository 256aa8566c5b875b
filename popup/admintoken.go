package popup

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"time"
)

// What a change of the named tokens can run into.
var (
	ErrNoSuchToken   = errors.New("no such token")
	ErrTokenExists   = errors.New("a token with this name exists")
	ErrTooManyTokens = errors.New("there are as many tokens as there may be")
)

const (
	// MaxAdminTokens is how many named tokens a deployment has at most.
	MaxAdminTokens = 200
	// MaxAdminTokenLife is the longest time from the creation of a named token to its end.
	MaxAdminTokenLife = 366 * 24 * time.Hour
)

// AdminToken is a named token of the control plane. The token itself is known only to
// whom it was given: here is its hash.
type AdminToken struct {
	ID         string     `json:"id"` // the part of the token that is no secret
	Name       string     `json:"name"`
	Role       Role       `json:"role"`
	CreatedAt  time.Time  `json:"created_at"` // UTC, as all of its times
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  time.Time  `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // up to a minute ago is not told yet; nil: never

	Hash [sha256.Size]byte `json:"-"`
}

// Expired reports whether the token has ended.
func (t *AdminToken) Expired(nowMS int64) bool { return nowMS >= t.ExpiresAt.UnixMilli() }

// A token is popupd_ID_SECRET: a prefix by which scanners of repositories and logs know it,
// 64 random bits that name it, and 256 that prove it.
const adminTokenPrefix, adminTokenIDBytes, adminTokenSecretBytes = "popupd_", 8, 32

var adminTokenPattern = regexp.MustCompile(`^popupd_([0-9a-f]{16})_[0-9a-f]{64}$`)

// NewAdminTokenSecret makes a token and returns its id, too.
func NewAdminTokenSecret() (token, id string) {
	random := make([]byte, adminTokenIDBytes+adminTokenSecretBytes)
	_, _ = rand.Read(random) // it never fails
	id = hex.EncodeToString(random[:adminTokenIDBytes])
	return adminTokenPrefix + id + "_" + hex.EncodeToString(random[adminTokenIDBytes:]), id
}

// AdminTokenID returns the id in a token, or false for what does not look like one.
func AdminTokenID(token string) (id string, ok bool) {
	m := adminTokenPattern.FindStringSubmatch(token)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// HashAdminToken returns what is stored of a token. A slow hash, as passwords need, would
// add nothing: nobody finds 256 random bits by trying, whatever one try costs.
func HashAdminToken(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

var adminTokenName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)

// ValidAdminTokenName reports whether a token may have this name. The audit trail calls
// whoever has -admin-token "admin", so no other token may.
func ValidAdminTokenName(name string) bool {
	return adminTokenName.MatchString(name) && name != "admin"
}
