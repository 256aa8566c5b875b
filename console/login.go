package console

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// Pages draws what this package shows to browsers.
type Pages interface {
	// LogIn answers with the page to log in at.
	LogIn(w http.ResponseWriter, r *http.Request, l LogIn) error
	// Problem answers with a page that says why another one can't be shown.
	Problem(w http.ResponseWriter, r *http.Request, p *Problem) error
}

// LogIn is what the page to log in at shows.
type LogIn struct {
	Next    string   // local path to go on to; never empty
	Problem *Problem // why the last try has failed; nil before the first
	OIDC    string   // address of single sign-on; empty if there is none
}

// Status is that of the answer with the page.
func (l LogIn) Status() int {
	if l.Problem != nil {
		return l.Problem.Status
	}
	return http.StatusOK
}

const (
	homePath      = "/popups"
	logInPath     = "/login"
	maxLogIn      = 8 << 10 // bytes of a form or JSON
	changeTimeout = 5 * time.Second
)

// logInRoutes are the operations of logging in and out. Pages in a browser and programs use the
// same: a browser is sent on to a page, a program is answered 204 or with a problem.
func (s *Server) logInRoutes() []Route {
	if s.config.Sessions == nil {
		return nil
	}
	return []Route{
		{"GET", logInPath, s.showLogIn, ""},
		{"POST", logInPath, s.logIn, ""},
		{"POST", "/logout", s.logOut, ""},
		{"POST", "/logout/everywhere", s.logOutEverywhere, popup.RoleViewer},
	}
}

// showLogIn shows the page to log in at, or sends on who is logged in.
func (s *Server) showLogIn(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"))
	if len(sessionCookies(r)) == 0 {
		return s.logInPage(w, r, LogIn{Next: next})
	}
	p := s.admit(w, r, s.guard.identifySession(r))
	withoutRefusal(w)
	switch {
	case p == nil:
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	case p.Code == severalSessions:
		return s.logInPage(w, r, LogIn{Next: next, Problem: p})
	}
	return s.logInPage(w, r, LogIn{Next: next})
}

// withoutRefusal takes back the headers of a refusal: the answer is a page to log in at, now.
func withoutRefusal(w http.ResponseWriter) {
	w.Header().Del("WWW-Authenticate")
	w.Header().Del("Retry-After")
}

func (s *Server) logInPage(w http.ResponseWriter, r *http.Request, l LogIn) error {
	if s.config.Pages == nil {
		return NewProblem(http.StatusNotFound, "not_found", "This server has no pages.")
	}
	if s.config.SignOn != nil {
		l.OIDC = signOnPath + "?next=" + url.QueryEscape(l.Next)
	}
	return s.config.Pages.LogIn(w, r, l)
}

// logIn begins a session with a token: the field token of a form, or member of JSON.
func (s *Server) logIn(w http.ResponseWriter, r *http.Request) error {
	token, next, err := readLogIn(w, r)
	if err == nil {
		err = s.logInBy(w, r, token)
	}
	if err != nil {
		return s.showFailure(w, r, err, next)
	}
	if isPage(r) {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// showFailure shows a browser that wants a page why a log-in has failed, beside another try. A
// program, and a fault of ours, get the error as everywhere.
func (s *Server) showFailure(w http.ResponseWriter, r *http.Request, err error, next string) error {
	p := asProblem(err)
	if err == nil || !isPage(r) || s.config.Pages == nil || p.Status == http.StatusInternalServerError {
		return err
	}
	s.logFailure(r, p)
	p.setRetryAfter(w)
	return s.logInPage(w, r, LogIn{Next: next, Problem: p})
}

func readLogIn(w http.ResponseWriter, r *http.Request) (token, next string, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogIn)
	next = localPath("")
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return "", next, badLogIn(err)
		}
		token, next = r.PostForm.Get("token"), localPath(r.PostForm.Get("next"))
	case "application/json":
		var in struct {
			Token string `json:"token"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return "", next, badLogIn(err)
		}
		token = in.Token
	default:
		return "", next, NewProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send a form (application/x-www-form-urlencoded) or JSON with the token.")
	}
	if token = strings.TrimSpace(token); token == "" {
		p := NewProblem(http.StatusUnprocessableEntity, "invalid", "Enter a token.")
		p.Errors = popup.FieldErrors{{Pointer: "/token", Detail: "is required"}}
		return "", next, p
	}
	return token, next, nil
}

func badLogIn(err error) *Problem {
	if errors.As(err, new(*http.MaxBytesError)) {
		return NewProblem(http.StatusRequestEntityTooLarge, "too_large", "A log-in takes 8 KiB at most.")
	}
	return NewProblem(http.StatusBadRequest, "malformed", "The form or JSON cannot be read.")
}

// logInBy begins a session with a token. A wrong one counts as a guess, as everywhere.
func (s *Server) logInBy(w http.ResponseWriter, r *http.Request, token string) error {
	who := s.guard.identifyToken(r.Context(), token)
	if p := s.admit(w, r, who); p != nil {
		return p
	}
	s.used(who)
	now := s.config.Now()
	session := popup.ConsoleSession{Name: who.caller.Actor(), Role: who.caller.Role, Bond: who.token, EndsMS: now + popup.SessionLife.Milliseconds()}
	if who.token != "" {
		session.EndsMS = min(session.EndsMS, who.endsMS)
	}
	return s.open(w, r, session)
}

// open begins a session, which takes the place of the one that the browser had: what it sends
// may be known to others, so it never becomes that of a session by logging in.
func (s *Server) open(w http.ResponseWriter, r *http.Request, session popup.ConsoleSession) error {
	secret, id := popup.NewSessionSecret()
	now := s.config.Now()
	session.ID, session.Hash, session.CreatedMS, session.SeenMS = id, popup.HashSession(secret), now, now
	if session.Name == adminName {
		session.Bond = s.guard.adminBond(secret)
	}
	ctx, cancel := context.WithTimeout(r.Context(), changeTimeout)
	defer cancel()
	before := s.guard.identifySession(r).caller.Session
	if err := s.config.Sessions.Open(ctx, popup.Change{Actor: session.Name, Action: "log_in"}, session, before); err != nil {
		return Unavailable("sessions_unavailable", "Nobody can log in at the moment: the database does not answer. Try again soon; bearer tokens work.", err)
	}
	s.config.Log.Info("logged in", "who", session.Name, "role", string(session.Role), "session", id, "client", clientOf(r))
	setSession(w, r, secret, session.EndsMS-now)
	return nil
}

// logOut ends the session of the browser, if it has one.
func (s *Server) logOut(w http.ResponseWriter, r *http.Request) error {
	if len(sessionCookies(r)) == 0 {
		return s.loggedOut(w, r)
	}
	who := s.guard.identifySession(r)
	switch p := s.admit(w, r, who); {
	case p == nil:
		ctx, cancel := context.WithTimeout(r.Context(), changeTimeout)
		defer cancel()
		if err := s.config.Sessions.End(ctx, popup.Change{Actor: who.caller.Actor(), Action: "log_out"}, who.caller.Session); err != nil {
			setSession(w, r, "", 0)
			return notEnded(err)
		}
		s.config.Log.Info("logged out", "who", who.caller.Actor(), "session", who.caller.Session)
	case p.Status != http.StatusUnauthorized:
		return p
	}
	return s.loggedOut(w, r)
}

// logOutEverywhere ends all sessions of whoever asks, with a session or a bearer token.
func (s *Server) logOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	actor := CallerOf(r).Actor()
	ctx, cancel := context.WithTimeout(r.Context(), changeTimeout)
	defer cancel()
	if err := s.config.Sessions.EndAll(ctx, popup.Change{Actor: actor, Action: "log_out_everywhere"}, actor); err != nil {
		setSession(w, r, "", 0)
		return notEnded(err)
	}
	s.config.Log.Info("logged out everywhere", "who", actor)
	return s.loggedOut(w, r)
}

func notEnded(err error) *Problem {
	return Unavailable("sessions_unavailable", "This browser is logged out, but the database does not answer: a copy of its cookie would work for "+
		"as long as the session lasts.", err)
}

// loggedOut takes the cookie from the browser.
func (s *Server) loggedOut(w http.ResponseWriter, r *http.Request) error {
	setSession(w, r, "", 0)
	if isPage(r) {
		http.Redirect(w, r, logInPath, http.StatusSeeOther)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// sendToLogIn sends a browser that wants a page to log in, also one whose cookie was taken for a
// guess too often: a log-in gives it another. Of several cookies no log-in helps, so that is
// said where they are sent; the page to log in at may not see them. One that follows a link of another
// site, or over plain HTTP may do so, has not sent the cookie (SameSite=Strict), and would not
// with a redirect: a page of ours leads there, from where who is logged in goes on.
func (s *Server) sendToLogIn(w http.ResponseWriter, r *http.Request, p *Problem) {
	withoutRefusal(w)
	if p.Code == severalSessions && s.config.Pages != nil {
		if err := s.logInPage(w, r, LogIn{Next: localPath(r.URL.RequestURI()), Problem: p}); err != nil {
			asProblem(err).write(w)
		}
		return
	}
	to := logInPath + "?next=" + url.QueryEscape(r.URL.RequestURI())
	if site := r.Header.Get("Sec-Fetch-Site"); (site == "cross-site" || site == "") && len(sessionCookies(r)) == 0 {
		goOn(w, to)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

var goOnPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>popupd</title><meta http-equiv="refresh" content="0; url={{.}}"><p><a href="{{.}}">popupd</a></p></html>
`))

// goOn answers with a page of ours that goes on to a local path by itself, with the cookie
// that a redirect from another site would go without.
func goOn(w http.ResponseWriter, path string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_ = goOnPage.Execute(w, path) // an error means that the client has gone
}

// localPath returns a path of this server to go on to: the one that is given, if it is none of
// another server, else the first page. Browsers take \ for / and leave tabs and line ends out.
func localPath(next string) string {
	strange := func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, strange) || strings.HasPrefix(next, logInPath) || strings.HasPrefix(next, "/logout") {
		return homePath
	}
	return next
}
