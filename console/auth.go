package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"math"
	"net/http"
	"strconv"
	"strings"
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

// guarded lets only requests with the token through to next, and none of a
// client that has guessed too often. A request that presents nothing is no guess.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		presented := r.Header.Get("Authorization") != ""
		allowed := s.guard.allows(r)
		client := clientOf(r)
		v := s.lockout.check(client, presented && !allowed)
		if v.shut {
			s.config.Log.Warn("too many wrong admin tokens: this client is locked out", "client", client, "guesses", maxGuesses, "for", lockTime)
		}
		if allowed && v.wait == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if !allowed {
			s.metrics.authFailures.Inc()
		}
		if v.wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(v.wait.Seconds()))))
			NewProblem(http.StatusTooManyRequests, "locked_out", "Too many wrong tokens came from this address.").write(w)
			return
		}
		challenge, detail := `Bearer realm="popupd"`, "This needs the header Authorization: Bearer TOKEN."
		if presented {
			challenge, detail = challenge+`, error="invalid_token"`, "The token is not the admin token of this server."
		}
		w.Header().Set("WWW-Authenticate", challenge)
		NewProblem(http.StatusUnauthorized, "unauthorized", detail).write(w)
	})
}

// sameOrigin refuses changes that a browser sends on behalf of another site's
// page, by its Sec-Fetch-Site and Origin headers: what a browser adds to a request
// by itself, such as a client certificate or a password that a proxy in front
// asks for, must not be of use to other sites. Programs that are no browsers send
// neither header.
func sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		NewProblem(http.StatusForbidden, "cross_origin", "A page of another site may not make changes here.").write(w)
	}))
	return protection.Handler(next)
}
