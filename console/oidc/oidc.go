// Package oidc signs people on to the console by OpenID Connect: the code flow with PKCE and a
// nonce, and a role from a claim of the ID token.
//
// The issuer is asked for its addresses and keys when somebody logs in first, so one that is away
// does not stop the start; they are kept from then on. Cookies, sessions and pages are the
// matter of package console.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// Config says who is asked. All fields but ClientSecret are required.
type Config struct {
	Issuer       string // URL, as its ID tokens have it
	ClientID     string
	ClientSecret string // empty: this is a public client
	// RoleClaim names the claim that holds a role, or a list with some; with dots it is one
	// within others.
	RoleClaim string

	Now func() int64 // ms since the epoch, UTC
	Log *slog.Logger
}

const (
	firstPause, lastPause = time.Second, time.Minute // between questions for the issuer's addresses
	askTimeout            = 5 * time.Second
	maxName               = popup.MaxSessionName - len("oidc:")
)

// Issuer asks an issuer. Make one with [New].
type Issuer struct {
	config Config
	client *http.Client

	mu       sync.Mutex // guards what follows; held while the issuer is asked
	known    *oidc.Provider
	failure  error     // of the last question
	failedAt time.Time // when that ended
}

// New returns an issuer for c, which is not asked yet.
func New(c Config) *Issuer {
	return &Issuer{config: c, client: &http.Client{Timeout: askTimeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}}
}

// ParseIssuer returns what is wrong with the URL of an issuer.
func ParseIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return errors.New("want the URL of an issuer, as https://login.example.com")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want the URL of an issuer without user, query and fragment")
	}
	return nil
}

// Run asks for the issuer's addresses until it has them or ctx ends, and then returns nil, so
// that the log has what is wrong before somebody logs in.
func (i *Issuer) Run(ctx context.Context) error {
	outage := retry.Outage{
		Log: i.config.Log, EachCause: true,
		Begins: "the issuer of -oidc-issuer does not tell its addresses: nobody can log in with it until it does", Ends: "the issuer of -oidc-issuer answers",
	}
	pauses := retry.Backoff{First: firstPause, Most: lastPause}
	for ctx.Err() == nil {
		_, err := i.provider(ctx)
		if ctx.Err() != nil {
			break
		}
		if outage.Report(err); err == nil {
			break
		}
		_ = retry.Pause(ctx, pauses.Next()) // the loop looks at ctx
	}
	return nil
}

// provider returns the addresses and keys of the issuer.
func (i *Issuer) provider(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known != nil {
		return i.known, nil
	}
	if time.Since(i.failedAt) < firstPause { // those who have waited for the same question among them
		return nil, i.failure
	}
	limited, cancel := context.WithTimeout(oidc.ClientContext(ctx, i.client), askTimeout)
	defer cancel()
	p, err := oidc.NewProvider(limited, i.config.Issuer)
	if err != nil {
		i.failure, i.failedAt = fmt.Errorf("ask the issuer: %w", err), time.Now()
		return nil, i.failure
	}
	i.known = p
	return p, nil
}

func (i *Issuer) oauth(p *oidc.Provider, callback string) *oauth2.Config {
	c := &oauth2.Config{
		ClientID: i.config.ClientID, ClientSecret: i.config.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: callback,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
	var offers struct {
		Scopes []string `json:"scopes_supported"`
		Proofs []string `json:"token_endpoint_auth_methods_supported"`
	}
	_ = p.Claims(&offers) // what is of another type is as if it were not there
	if slices.Contains(offers.Scopes, i.config.RoleClaim) && !slices.Contains(c.Scopes, i.config.RoleClaim) {
		c.Scopes = append(c.Scopes, i.config.RoleClaim) // such as groups
	}
	c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // else the code is sent twice to find out
	if c.ClientSecret == "" || slices.Contains(offers.Proofs, "client_secret_post") {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return c
}

// Begin returns the issuer's address that asks a person, who comes back to callback.
func (i *Issuer) Begin(ctx context.Context, callback string) (address string, f console.Flow, err error) {
	p, err := i.provider(ctx)
	if err != nil {
		return "", f, unavailable(err)
	}
	f = console.Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	return i.oauth(p, callback).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

// Finish returns who has come back to callback.
func (i *Issuer) Finish(ctx context.Context, callback string, f console.Flow, query url.Values) (who console.SignedOn, err error) {
	if iss := query.Get("iss"); iss != "" && iss != i.config.Issuer { // RFC 9207
		return who, failed(errors.New("another issuer has answered"))
	}
	if code := query.Get("error"); code != "" {
		return who, console.NewProblem(http.StatusForbidden, "oidc_failed", fmt.Sprintf("The issuer says %.100q.", code))
	}
	p, err := i.provider(ctx)
	if err != nil {
		return who, unavailable(err)
	}
	ctx = oidc.ClientContext(ctx, i.client)
	tokens, err := i.oauth(p, callback).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(f.Verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response.StatusCode < 500:
		return who, failed(fmt.Errorf("the issuer refuses the code: status %d, %.100q", refused.Response.StatusCode, refused.ErrorCode))
	case err != nil:
		return who, unavailable(fmt.Errorf("ask the issuer for a token: %w", err))
	}
	text, _ := tokens.Extra("id_token").(string)
	verifier := p.Verifier(&oidc.Config{ClientID: i.config.ClientID, Now: func() time.Time { return time.UnixMilli(i.config.Now()) }})
	id, err := verifier.Verify(ctx, text)
	if err != nil {
		return who, failed(err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) == 0 {
		return who, failed(errors.New("the ID token was asked for by somebody else: its nonce is another one"))
	}
	return i.signedOn(id)
}

// signedOn reads who and what somebody is from an ID token that is good.
func (i *Issuer) signedOn(id *oidc.IDToken) (who console.SignedOn, err error) {
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return who, failed(err)
	}
	if party, _ := claims["azp"].(string); party != "" && party != i.config.ClientID {
		return who, failed(errors.New("the ID token was made for another client"))
	}
	if who.Name = nameOf(claims, id.Subject); who.Name == "" {
		return who, failed(errors.New("the ID token has no name that can be printed"))
	}
	who.Role = highest(claimOf(claims, i.config.RoleClaim))
	return who, nil
}

// nameOf returns the e-mail address, unless the issuer says that it has not verified it, else the
// subject. The audit trail and all that a browser shows have it, so it must be printable.
func nameOf(claims map[string]any, subject string) string {
	email, _ := claims["email"].(string)
	if verified, told := claims["email_verified"]; told && verified != true && verified != "true" {
		email = ""
	}
	for _, name := range []string{email, subject} {
		strange := func(c rune) bool { return !unicode.IsGraphic(c) || unicode.IsSpace(c) || c == unicode.ReplacementChar }
		if name != "" && len(name) <= maxName && !strings.ContainsFunc(name, strange) {
			return name
		}
	}
	return ""
}

// claimOf returns a claim, which may stand within others: realm_access.roles.
func claimOf(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	first, rest, within := strings.Cut(name, ".")
	inner, ok := claims[first].(map[string]any)
	if !within || !ok {
		return nil
	}
	return claimOf(inner, rest)
}

// highest returns the role that may do most of those that a claim has, or none.
func highest(claim any) (role popup.Role) {
	list, ok := claim.([]any)
	if !ok {
		list = []any{claim}
	}
	for _, v := range list {
		if name, _ := v.(string); popup.Role(name).Valid() && !role.Covers(popup.Role(name)) {
			role = popup.Role(name)
		}
	}
	return role
}

// Bond is what sessions end with: another issuer, client or claim may know other people.
func (i *Issuer) Bond() string {
	return popup.SessionBond(i.config.Issuer, i.config.ClientID, i.config.RoleClaim)
}

// failed is a guess, or a mistake in the configuration of one of both sides.
func failed(err error) error {
	return fmt.Errorf("%w: %w", console.NewProblem(http.StatusUnauthorized, "oidc_failed", "The log-in with your organization's account did not work; the server's log says why."), err)
}

func unavailable(err error) error {
	return console.Unavailable("oidc_unavailable", "Your organization's log-in does not answer at the moment. Try again soon, or log in with a token.", err)
}
