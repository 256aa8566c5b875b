package console

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// Sessions knows the browsers that are logged in. Changes block until the store answers or ctx
// ends, and are durable once they return nil.
type Sessions interface {
	// Find returns the session with an id, ended or not. It answers from memory, and waits no
	// longer than a second for the store where that has none. An error means that it is not
	// known now whether there is one.
	Find(ctx context.Context, id string) (s popup.ConsoleSession, ok bool, err error)
	// Used notes that somebody has used a session.
	Used(id string)
	// Open stores a session, and ends the one with the id replaces, if there is one.
	Open(ctx context.Context, c popup.Change, s popup.ConsoleSession, replaces string) error
	End(ctx context.Context, c popup.Change, id string) error
	// EndAll ends all sessions of a name.
	EndAll(ctx context.Context, c popup.Change, name string) error
	// Refused records that somebody was not let in, and why.
	Refused(ctx context.Context, c popup.Change, why string) error
}

// sessionCookie names the cookie of a session.
const sessionCookie = "popupd_session"

// sessionCookies returns what a request has in cookies of that name, each value once. An empty one
// is none: some clients keep those that were taken from them.
func sessionCookies(r *http.Request) (values []string) {
	for _, c := range r.CookiesNamed(sessionCookie) {
		if c.Value != "" && !slices.Contains(values, c.Value) {
			values = append(values, c.Value)
		}
	}
	return values
}

// unknownSession stands for all ids that no session has.
const unknownSession = "session " + unknownToken

// severalSessions is the code of a problem that no log-in ends.
const severalSessions = "several_sessions"

// identifySession tells who is logged in at the browser that sends a request. What a cookie held
// that was good once is no guess: tabs that are still open send it again and again.
func (g *guard) identifySession(r *http.Request) identity {
	values := sessionCookies(r)
	switch {
	case len(values) == 0 || g.sessions == nil:
		return identity{refuse: unauthorized("unauthorized", "This needs a session: log in.")}
	case len(values) > 1: // one may be planted by a page of a neighbouring host
		return identity{refuse: unauthorized(severalSessions, "The browser has several cookies "+sessionCookie+" for this address: delete them, and log in.")}
	case !isOfOurPage(r):
		return identity{refuse: NewProblem(http.StatusForbidden, "cross_origin",
			"What comes with a session must come from a page of this address, as Sec-Fetch-Site or Origin say; programs use a bearer token.")}
	}
	secret := values[0]
	id, ok := popup.SessionID(secret)
	wrong := identity{key: unknownSession, name: unknownSession, guess: true, refuse: unauthorized("unauthorized", "There is no such session: log in.")}
	if !ok {
		return wrong
	}
	session, ok, err := g.sessions.Find(r.Context(), id)
	if err != nil {
		return identity{refuse: Unavailable("sessions_unavailable", "Sessions can't be looked up at the moment. Bearer tokens work.", nil)}
	}
	if !ok {
		return wrong
	}
	wrong.key, wrong.name = "session "+id, "session of "+session.Name
	sum := popup.HashSession(secret)
	if subtle.ConstantTimeCompare(sum[:], session.Hash[:]) == 0 {
		return wrong
	}
	return g.identifyMember(r.Context(), session, secret, wrong.key, wrong.name)
}

// identifyMember tells who a session is of, and what that one may do now.
func (g *guard) identifyMember(ctx context.Context, session popup.ConsoleSession, secret, key, name string) identity {
	who := identity{key: key, name: name, caller: Caller{Token: session.Name, Role: session.Role, Session: session.ID}}
	ended := identity{key: key, name: name, refuse: unauthorized("session_ended", "The session has ended: log in again.")}
	if session.Over(g.now()) {
		return ended
	}
	if session.Name == adminName {
		if session.Bond != g.adminBond(secret) {
			return ended
		}
		who.caller.Token, who.caller.Role = "", popup.RoleAdmin
		return who
	}
	if strings.HasPrefix(session.Name, signOnPrefix) {
		if g.signOn == nil || session.Bond != g.signOn.Bond() {
			return ended
		}
		return who
	}
	t, ok, err := g.tokens.Find(ctx, session.Bond)
	if err != nil {
		return identity{refuse: tokensUnavailable()}
	}
	if !ok || t.Expired(g.now()) {
		return ended
	}
	who.token, who.caller.Role = t.ID, t.Role
	return who
}

// adminBond is what sessions of -admin-token end with.
func (g *guard) adminBond(secret string) string { return popup.SessionBond(secret, string(g.admin[:])) }

// isOfOurPage reports whether the cookie of a request counts: a page of ours has sent it or,
// if it only reads, no browser, or a link that somebody has followed. Pages at other ports of
// this host belong to the same site for SameSite, and send it along.
func isOfOurPage(r *http.Request) bool {
	site, reads := r.Header.Get("Sec-Fetch-Site"), r.Method == http.MethodGet || r.Method == http.MethodHead
	if site == "" { // over plain HTTP browsers send Origin alone, and with GET neither
		given := r.Header.Get("Origin")
		origin, err := url.Parse(given)
		return reads && given == "" || err == nil && origin.Host != "" && origin.Host == r.Host
	}
	return site == "same-origin" || reads && (site == "none" || r.Header.Get("Sec-Fetch-Mode") == "navigate")
}

// isBackground reports whether a page has sent a request that nobody has asked for: it does
// not keep the session from ending. An EventSource comes back by itself, and can set no header.
func isBackground(r *http.Request) bool {
	return r.Header.Get("Popupd-Background") != "" || r.Header.Get("Accept") == "text/event-stream"
}

// isPage reports whether a browser wants a page to show.
func isPage(r *http.Request) bool {
	return !needsToken(r.URL.Path) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// isTLS reports whether the browser speaks TLS, with this server or with a proxy in front. What
// anybody may write into the header is only of use to whoever reads the cookie.
func isTLS(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https")
}

// setSession gives a session to the browser, or with an empty secret takes it.
func setSession(w http.ResponseWriter, r *http.Request, secret string, lifeMS int64) {
	c := &http.Cookie{Name: sessionCookie, Value: secret, Path: "/", MaxAge: int(lifeMS / 1000), HttpOnly: true, Secure: isTLS(r), SameSite: http.SameSiteStrictMode}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
