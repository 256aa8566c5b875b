package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/popupd/popupd/popup"
)

// Tokens knows the named tokens. It answers from memory, and waits no longer than some
// seconds for the store where that has none.
type Tokens interface {
	// Find returns the token with an id, expired or not. An error means that it is not known
	// now whether there is one.
	Find(ctx context.Context, id string) (t popup.AdminToken, ok bool, err error)
	// Used notes that a request was let in with a token.
	Used(id string)
}

// Caller is whose token a request has.
type Caller struct {
	Token string // name of the token; empty for that of -admin-token
	Role  popup.Role
}

type callerKey struct{}

// CallerOf returns whose token a request has that [Server] has let in. What it has not let
// in has no role.
func CallerOf(r *http.Request) Caller {
	c, _ := r.Context().Value(callerKey{}).(Caller)
	return c
}

// Require returns nil if the caller has a role that covers the one needed, or the problem
// 403. what is the subject of its text.
func (c Caller) Require(needed popup.Role, what string) error {
	if c.Role.Covers(needed) {
		return nil
	}
	p := NewProblem(http.StatusForbidden, "role_required", fmt.Sprintf("%s needs the role %s. The token %s has the role %s.", what, needed, c.Token, c.Role))
	p.Role = needed
	return p
}

// guard knows who may be let in. It compares hashes, so that comparing takes the same time
// whatever the length or the content of what was presented.
type guard struct {
	admin  [sha256.Size]byte // hash of -admin-token
	tokens Tokens
	now    func() int64
}

// identity is what a request presents.
type identity struct {
	caller Caller   // of whom it is let in
	token  string   // what its guesses are counted by: the id of a named token, unknownToken, or empty
	name   string   // of the named token
	guess  bool     // it presents what is no token, or is one no more
	refuse *Problem // nil: it is let in
}

// unknownToken stands for all ids that no named token has: one for each that is made up
// would take room without end.
const unknownToken = "unknown"

// identify tells whose token a request has. The token of -admin-token comes first: it may
// look like any other, and works while the named ones are not known.
func (g *guard) identify(r *http.Request) identity {
	header := r.Header.Get("Authorization")
	if header == "" {
		return identity{refuse: unauthorized("unauthorized", "This needs the header Authorization: Bearer TOKEN.")}
	}
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	sum := popup.HashAdminToken(token)
	wrong := identity{guess: true, refuse: unauthorized("unauthorized", "The token is none of this deployment.")}
	if !strings.EqualFold(scheme, "Bearer") {
		return wrong
	}
	if subtle.ConstantTimeCompare(sum[:], g.admin[:]) == 1 {
		return identity{caller: Caller{Role: popup.RoleAdmin}}
	}
	id, ok := popup.AdminTokenID(token)
	if !ok {
		return wrong
	}
	t, ok, err := g.tokens.Find(r.Context(), id)
	if err != nil {
		return identity{refuse: Unavailable("tokens_unavailable", "Named tokens can't be looked up at the moment; that of -admin-token works.", nil)}
	}
	if !ok {
		wrong.token, wrong.name = unknownToken, unknownToken
		return wrong
	}
	wrong.token, wrong.name = id, t.Name
	switch {
	case subtle.ConstantTimeCompare(sum[:], t.Hash[:]) == 0:
		return wrong
	case t.Expired(g.now()):
		wrong.refuse = unauthorized("token_expired", "The token "+t.Name+" has expired.")
		return wrong
	}
	return identity{caller: Caller{Token: t.Name, Role: t.Role}, token: id, name: t.Name}
}

func unauthorized(code, detail string) *Problem {
	return NewProblem(http.StatusUnauthorized, code, detail)
}

// guarded lets only requests through to next that have a token whose role covers the one
// needed, and none of a client that has guessed this token too often. A request that
// presents nothing is no guess.
func (s *Server) guarded(needed popup.Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, client := s.guard.identify(r), clientOf(r)
		v := s.lockout.check(lockKey{who.token, client}, who.guess)
		if v.shut {
			s.config.Log.Warn("too many wrong admin tokens: this client is locked out", "client", client, "token", who.name, "guesses", maxGuesses, "for", lockTime)
		}
		unauthorized := who.refuse != nil && who.refuse.Status == http.StatusUnauthorized
		if unauthorized {
			s.metrics.authFailures.Inc()
		}
		switch {
		case unauthorized && v.wait == 0 && isPage(r):
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		case v.wait > 0:
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(v.wait.Seconds()))))
			NewProblem(http.StatusTooManyRequests, "locked_out", "Too many wrong tokens came from this address.").write(w)
			return
		case unauthorized:
			w.Header().Set("WWW-Authenticate", challenge(who.guess))
			fallthrough
		case who.refuse != nil:
			who.refuse.write(w)
			return
		}
		if who.token != "" {
			s.config.Tokens.Used(who.token)
		}
		if err := who.caller.Require(needed, "This operation"); err != nil {
			asProblem(err).write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, who.caller)))
	})
}

// isPage reports whether a browser asks for a page, which sends who is not logged in to log in.
func isPage(r *http.Request) bool {
	return !needsToken(r.URL.Path) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// challenge is the header of an answer of 401 (RFC 6750).
func challenge(guessed bool) string {
	if guessed {
		return `Bearer realm="popupd", error="invalid_token"`
	}
	return `Bearer realm="popupd"`
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
