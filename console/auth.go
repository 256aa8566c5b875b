package console

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math"
	"net/http"
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

// Caller is who sends a request, by its token or by the session of its browser.
type Caller struct {
	Token   string // name of the token, or "oidc:" and whom single sign-on names; empty for -admin-token
	Role    popup.Role
	Session string // id of the session; empty for a bearer token
}

// Actor is what the audit trail calls the caller.
func (c Caller) Actor() string { return cmp.Or(c.Token, adminName) }

// adminName is what the audit trail calls whoever has -admin-token.
const adminName = "admin"

type admittedKey struct{}

// admitted is a request that was let in.
type admitted struct {
	Caller
	again func() bool // whether it would be let in now
}

// CallerOf returns who sends a request that [Server] has let in. What it has not let in has
// no role.
func CallerOf(r *http.Request) Caller {
	a, _ := r.Context().Value(admittedKey{}).(admitted)
	return a.Caller
}

// StillAdmitted reports whether a request that was let in would be now: an answer that goes on
// and on must end with the session or the token.
func StillAdmitted(r *http.Request) bool {
	a, ok := r.Context().Value(admittedKey{}).(admitted)
	return ok && a.again()
}

// Require returns nil if the caller has a role that covers the one needed, or the problem
// 403. what is the subject of its text.
func (c Caller) Require(needed popup.Role, what string) error {
	if c.Role.Covers(needed) {
		return nil
	}
	p := NewProblem(http.StatusForbidden, "role_required", fmt.Sprintf("%s needs the role %s, and %s has the role %s.", what, needed, c.Actor(), c.Role))
	p.Role = needed
	return p
}

// guard knows who may be let in. It compares hashes, so that comparing takes the same time
// whatever the length or the content of what was presented.
type guard struct {
	admin    [sha256.Size]byte // hash of -admin-token
	tokens   Tokens
	sessions Sessions     // nil: there are none
	signOn   SingleSignOn // nil: nobody is asked
	now      func() int64
}

// identity is what a request presents.
type identity struct {
	caller Caller   // of whom it is let in
	token  string   // id of the named token that it is let in by
	endsMS int64    // of that token
	key    string   // what its guesses are counted by: see lockKey
	name   string   // what the log calls that
	guess  bool     // it presents what lets nobody in
	refuse *Problem // nil: it is let in
}

// unknownToken stands for all ids that no named token has: one for each that is made up
// would take room without end.
const unknownToken = "unknown"

// identify tells who sends a request. A header goes before a cookie, but for one that a proxy
// in front has asked for.
func (g *guard) identify(r *http.Request) identity {
	header := r.Header.Get("Authorization")
	scheme, token, _ := strings.Cut(header, " ")
	isBearer := strings.EqualFold(scheme, "Bearer")
	switch {
	case !isBearer && len(sessionCookies(r)) > 0:
		return g.identifySession(r)
	case header == "":
		return identity{refuse: unauthorized("unauthorized", "This needs the header Authorization: Bearer TOKEN.")}
	case !isBearer:
		return wrongToken()
	}
	return g.identifyToken(r.Context(), strings.TrimSpace(token))
}

// identifyToken tells whose a token is. That of -admin-token comes first: it may look like any
// other, and works while the named ones are not known.
func (g *guard) identifyToken(ctx context.Context, token string) identity {
	sum := popup.HashAdminToken(token)
	if subtle.ConstantTimeCompare(sum[:], g.admin[:]) == 1 {
		return identity{caller: Caller{Role: popup.RoleAdmin}}
	}
	wrong := wrongToken()
	id, ok := popup.AdminTokenID(token)
	if !ok {
		return wrong
	}
	t, ok, err := g.tokens.Find(ctx, id)
	if err != nil {
		return identity{refuse: tokensUnavailable()}
	}
	if !ok {
		wrong.key, wrong.name = unknownToken, unknownToken
		return wrong
	}
	wrong.key, wrong.name = id, t.Name
	switch {
	case subtle.ConstantTimeCompare(sum[:], t.Hash[:]) == 0:
		return wrong
	case t.Expired(g.now()):
		wrong.refuse = unauthorized("token_expired", "The token "+t.Name+" has expired.")
		return wrong
	}
	return identity{caller: Caller{Token: t.Name, Role: t.Role}, token: id, endsMS: t.ExpiresAt.UnixMilli(), key: id, name: t.Name}
}

// wrongToken is who presents a token that is none.
func wrongToken() identity {
	return identity{guess: true, refuse: unauthorized("unauthorized", "The token is none of this deployment.")}
}

func tokensUnavailable() *Problem {
	return Unavailable("tokens_unavailable", "Named tokens can't be looked up at the moment; that of -admin-token works.", nil)
}

func unauthorized(code, detail string) *Problem {
	return NewProblem(http.StatusUnauthorized, code, detail)
}

// guarded lets only requests through to next that come with a token or a session whose role
// covers the one needed, and none of a client that has guessed this one too often.
func (s *Server) guarded(needed popup.Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := s.guard.identify(r)
		p := s.admit(w, r, who)
		switch {
		case p != nil && isPage(r) && (p.Status == http.StatusUnauthorized || p.Status == http.StatusTooManyRequests):
			s.sendToLogIn(w, r, p)
			return
		case p != nil:
			s.tell(w, r, p)
			return
		}
		if !isBackground(r) {
			s.used(who)
		}
		if err := who.caller.Require(needed, "This operation"); err != nil {
			s.tell(w, r, asProblem(err))
			return
		}
		a := admitted{who.caller, func() bool {
			now := s.guard.identify(r)
			if now.refuse != nil {
				return now.refuse.Status != http.StatusUnauthorized // else nobody knows now
			}
			return now.caller.Role.Covers(needed)
		}}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), admittedKey{}, a)))
	})
}

// admit returns nil if a request is let in, or why not; then it sets the headers that go with
// that. It counts guesses. A request that presents nothing is none.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, who identity) *Problem {
	client := clientOf(r)
	v := s.lockout.check(lockKey{who.key, client}, who.guess)
	if v.shut {
		s.config.Log.Warn("too many wrong admin tokens: this client is locked out", "client", client, "token", who.name, "guesses", maxGuesses, "for", lockTime)
	}
	unauthorized := who.refuse != nil && who.refuse.Status == http.StatusUnauthorized
	if unauthorized {
		s.metrics.authFailures.Inc()
	}
	if v.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(v.wait.Seconds()))))
		return NewProblem(http.StatusTooManyRequests, "locked_out", "Too many wrong tokens came from this address.")
	}
	if unauthorized {
		w.Header().Set("WWW-Authenticate", challenge(who.guess))
	}
	return who.refuse
}

// used notes that somebody has used a token or a session.
func (s *Server) used(who identity) {
	if who.token != "" {
		s.config.Tokens.Used(who.token)
	}
	if who.caller.Session != "" {
		s.config.Sessions.Used(who.caller.Session)
	}
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
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { crossOrigin().write(w) }))
	return protection.Handler(next)
}

func crossOrigin() *Problem {
	return NewProblem(http.StatusForbidden, "cross_origin", "A page of another site may not make changes here.")
}
