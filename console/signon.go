package console

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// SingleSignOn asks somebody else who a person is. Its errors are each a [Problem].
type SingleSignOn interface {
	// Begin returns the address that asks a person, who comes back to callback.
	Begin(ctx context.Context, callback string) (address string, f Flow, err error)
	// Finish returns who has come back to callback with a query, whose state is that of f.
	Finish(ctx context.Context, callback string, f Flow, query url.Values) (SignedOn, error)
	// Bond is what sessions end with: it changes with who is asked, and how.
	Bond() string
}

// Flow is what a browser keeps between the two: nobody else can finish what it has begun.
type Flow struct {
	State    string `json:"s"` // comes back with the person
	Nonce    string `json:"n"` // comes back from who was asked
	Verifier string `json:"v"` // proves to who is asked that it is the same server (PKCE)
	Next     string `json:"x"` // local path to go on to
}

// SignedOn is who somebody else says a person is.
type SignedOn struct {
	Name string     // the actor of the audit trail, without the prefix
	Role popup.Role // invalid: none
}

const (
	signOnPath   = "/login/oidc"
	callbackPath = "/login/oidc/callback"
	// signOnPrefix begins the names of people who are signed on. No token may have such a name.
	signOnPrefix = "oidc:"

	flowCookie    = "popupd_oidc"
	flowLife      = 10 * time.Minute
	signOnTimeout = 10 * time.Second
)

func (s *Server) signOnRoutes() []Route {
	if s.config.SignOn == nil {
		return nil
	}
	return []Route{{"GET", signOnPath, s.asLogIn(s.beginSignOn), ""}, {"GET", callbackPath, s.asLogIn(s.finishSignOn), ""}}
}

// asLogIn is an endpoint whose errors a browser sees on the page to log in at.
func (s *Server) asLogIn(e Endpoint) Endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.showFailure(w, r, e(w, r), localPath(""))
	}
}

// beginSignOn sends a browser to who is asked. Nothing is kept here: all is in its cookie, which
// comes back also when a page of another site leads to the callback (SameSite=Lax).
func (s *Server) beginSignOn(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), signOnTimeout)
	defer cancel()
	address, f, err := s.config.SignOn.Begin(ctx, callbackOf(r))
	if err != nil {
		return err
	}
	f.Next = localPath(r.URL.Query().Get("next"))
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	setFlow(w, r, base64.RawURLEncoding.EncodeToString(text))
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// finishSignOn begins a session for who comes back. It takes a GET, as the code flow has it, but
// only from a browser that has begun, and once.
func (s *Server) finishSignOn(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet { // a HEAD
		w.Header().Set("Allow", http.MethodGet)
		return NewProblem(http.StatusMethodNotAllowed, "method_not_allowed", "The path has only GET.")
	}
	f, err := readFlow(r)
	setFlow(w, r, "")
	query := r.URL.Query()
	if err != nil || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(f.State)) == 0 {
		return NewProblem(http.StatusBadRequest, "oidc_failed", "This browser has not begun to log in within the last ten minutes, or has begun anew in another tab. Begin again.")
	}
	stranger := identity{key: signOnPrefix, name: "single sign-on"}
	if p := s.admit(w, r, stranger); p != nil {
		return p
	}
	ctx, cancel := context.WithTimeout(r.Context(), signOnTimeout)
	defer cancel()
	who, err := s.config.SignOn.Finish(ctx, callbackOf(r), f, query)
	if p := asProblem(err); err != nil && p.Status == http.StatusUnauthorized {
		s.config.Log.Warn("single sign-on failed", "client", clientOf(r), "err", err)
		stranger.guess, stranger.refuse = true, p
		return s.admit(w, r, stranger)
	} else if err != nil {
		return err
	}
	name := signOnPrefix + who.Name
	if !who.Role.Valid() {
		return s.withoutRole(ctx, w, r, stranger, name)
	}
	session := popup.ConsoleSession{Name: name, Role: who.Role, Bond: s.config.SignOn.Bond(), EndsMS: s.config.Now() + popup.SessionLife.Milliseconds()}
	if err := s.open(w, r, session); err != nil {
		return err
	}
	goOn(w, localPath(f.Next))
	return nil
}

// withoutRole refuses a person whom somebody else knows, and who may do nothing here. It counts
// as a guess, so that the audit trail is not filled.
func (s *Server) withoutRole(ctx context.Context, w http.ResponseWriter, r *http.Request, stranger identity, name string) error {
	stranger.guess = true
	stranger.refuse = NewProblem(http.StatusForbidden, "oidc_no_role", "You are "+strings.TrimPrefix(name, signOnPrefix)+", and have no role here. Ask an administrator for access.")
	if err := s.config.Sessions.Refused(ctx, popup.Change{Actor: name, Action: "log_in_refused"}, "no_role"); err != nil {
		s.config.Log.Error("a refused log-in can't be stored", "who", name, "err", err)
	}
	s.config.Log.Warn("single sign-on of somebody without a role", "who", name, "client", clientOf(r))
	return s.admit(w, r, stranger)
}

// callbackOf is the address that a person comes back to. Who writes another Host gets there alone:
// who is asked knows the addresses that it may send people to.
func callbackOf(r *http.Request) string {
	scheme := "http"
	if isTLS(r) {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host, Path: callbackPath}).String()
}

func readFlow(r *http.Request) (f Flow, err error) {
	cookies := r.CookiesNamed(flowCookie)
	if len(cookies) != 1 {
		return f, errors.New("none, or several")
	}
	text, err := base64.RawURLEncoding.DecodeString(cookies[0].Value)
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err == nil && (f.State == "" || f.Nonce == "" || f.Verifier == "") {
		err = errors.New("incomplete")
	}
	return f, err
}

// setFlow gives a flow to the browser, or with an empty one takes it.
func setFlow(w http.ResponseWriter, r *http.Request, value string) {
	c := &http.Cookie{Name: flowCookie, Value: value, Path: signOnPath, MaxAge: int(flowLife / time.Second), HttpOnly: true, Secure: isTLS(r), SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
