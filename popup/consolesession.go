package popup

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"time"
)

const (
	// SessionLife is how long a session of the console lasts at most.
	SessionLife = 12 * time.Hour
	// SessionIdle is how long it lasts without a request that somebody has asked for.
	SessionIdle = 2 * time.Hour
	// MaxSessionsEach is how many sessions one name has at most. A further log-in ends the one
	// that was used last longest ago.
	MaxSessionsEach = 50
	// MaxSessionName is how long the name of a session may be, in bytes.
	MaxSessionName = 255
)

// ConsoleSession is a browser that is logged in to the console. What its cookie holds is known
// to that browser alone: here is its hash.
type ConsoleSession struct {
	ID   string            // the part of the cookie that is no secret
	Hash [sha256.Size]byte // of the cookie
	// Name is the actor of the audit trail: that of the token, "admin" for -admin-token, or
	// "oidc:" and who single sign-on says it is.
	Name string
	Role Role // at the log-in
	// Bond is what the session ends with: the id of a named token, or what [SessionBond] made
	// of -admin-token or of the settings of single sign-on.
	Bond string

	CreatedMS int64 // ms since the epoch, UTC
	SeenMS    int64 // last request that somebody has asked for; stored to the minute
	EndsMS    int64 // at the latest; less once somebody logs out
}

// sessionSkew is how far the clocks of servers may be apart.
const sessionSkew = 5 * time.Minute

// Over reports whether the session has ended. One of the future has, too: else a clock that
// was ahead and is set right would make it last.
func (s *ConsoleSession) Over(nowMS int64) bool {
	return nowMS >= s.EndsMS || nowMS-s.SeenMS >= SessionIdle.Milliseconds() || max(s.CreatedMS, s.SeenMS)-nowMS > sessionSkew.Milliseconds()
}

var sessionPattern = regexp.MustCompile(`^([0-9a-f]{16})_[0-9a-f]{64}$`)

// NewSessionSecret makes what a cookie holds: ID_SECRET, of 64 random bits that name the session
// and 256 that prove it. It returns the id, too.
func NewSessionSecret() (secret, id string) {
	random := make([]byte, adminTokenIDBytes+adminTokenSecretBytes)
	_, _ = rand.Read(random) // it never fails
	id = hex.EncodeToString(random[:adminTokenIDBytes])
	return id + "_" + hex.EncodeToString(random[adminTokenIDBytes:]), id
}

// SessionID returns the id in what a cookie holds, or false for what does not look like one.
func SessionID(secret string) (id string, ok bool) {
	m := sessionPattern.FindStringSubmatch(secret)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// HashSession returns what is stored of a cookie.
func HashSession(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// SessionBond returns 16 hex digits that tell whether something is still what it was when the
// session began. With the secret of the session among the parts they tell nothing to who
// reads the database.
func SessionBond(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
