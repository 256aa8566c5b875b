package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// guard knows the bearer token by its hash, so that comparing takes the same
// time whatever the length or the content of what was presented.
type guard struct{ sum [sha256.Size]byte }

func newGuard(token string) guard { return guard{sha256.Sum256([]byte(token))} }

// allows reports whether the request carries the token.
func (g guard) allows(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	same := subtle.ConstantTimeCompare(sum[:], g.sum[:]) == 1
	return same && strings.EqualFold(scheme, "Bearer")
}

// guarded lets only requests with the token through to next.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.guard.allows(r) {
			next.ServeHTTP(w, r)
			return
		}
		s.metrics.authFailures.Inc()
		challenge, detail := `Bearer realm="popupd"`, "This needs the header Authorization: Bearer TOKEN."
		if r.Header.Get("Authorization") != "" {
			challenge, detail = challenge+`, error="invalid_token"`, "The token is not the admin token of this server."
		}
		w.Header().Set("WWW-Authenticate", challenge)
		newProblem(http.StatusUnauthorized, "unauthorized", detail).write(w)
	})
}

const (
	defaultActor  = "admin"
	maxActorBytes = 64
)

// actor is who the audit trail names: what the request's X-Popupd-Actor says,
// without control characters and cut to 64 bytes, else "admin". Whoever holds the
// token may write any name there, so it says who it was among trusted people, not
// whom to trust.
func actor(r *http.Request) string {
	name := strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, r.Header.Get("X-Popupd-Actor"))
	for len(name) > maxActorBytes {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	if name = strings.TrimSpace(name); name == "" {
		return defaultActor
	}
	return name
}
