// Package web is the pages of the console: what operators see at the admin listener.
//
// A page is a shell, rendered here, that names who is logged in, and one ES module of src
// that reads the REST API and draws with lit-html. esbuild bundles the modules and the
// styles into dist, which is embedded (make console); every page is a chunk of its own.
// Nothing here knows a store, a popup or a user. README.md lists the components.
package web

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

//go:embed templates
var templates embed.FS

// policy is the Content-Security-Policy of a page, but for its nonce. Modules that a module
// with the nonce imports are trusted by it.
const policy = "default-src 'none'; script-src 'nonce-%[1]s' 'strict-dynamic'; style-src 'self' 'nonce-%[1]s'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Config is what [Pages] work with.
type Config struct {
	Version string // of the program
}

// Pages answers with the pages of the console. Make one with [New].
type Pages struct {
	config   Config
	shells   *template.Template
	assets   *assets
	messages catalogs
}

// New returns the pages for c. It fails if what is embedded is not whole.
func New(c Config) (*Pages, error) {
	shells, err := template.ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("console/web: %w", err)
	}
	a, err := newAssets()
	if err != nil {
		return nil, fmt.Errorf("console/web: %w", err)
	}
	m, err := readMessages()
	if err != nil {
		return nil, fmt.Errorf("console/web: %w", err)
	}
	return &Pages{c, shells, a, m}, nil
}

// page is an address with the module of src/pages that draws it and its place in the navigation.
type page struct {
	path, module, nav string
}

var pages = []page{
	{"/popups", "popups", "popups"},
	{"/new", "editor", "popups"},
	{"/popups/{key}", "editor", "popups"},
	{"/popups/{key}/report", "report", "popups"},
	{"/popups/{key}/history", "history", "popups"},
	{"/audiences", "audiences", "audiences"},
	{"/audiences/{key}", "audience", "audiences"},
	{"/users", "users", "users"},
	{"/settings", "settings", "settings"},
	{"/tokens", "tokens", "settings"},
	{"/audit", "audit", "audit"},
	{"/system", "system", "system"},
}

// Routes lists the addresses of the pages and of what they load.
func (p *Pages) Routes() []console.Route {
	routes := []console.Route{
		{Method: "GET", Path: "/", Endpoint: home},
		{Method: "GET", Path: "/assets/{hash}/{file}", Endpoint: p.assets.serve},
		{Method: "GET", Path: "/preview", Endpoint: p.preview},
	}
	for _, at := range pages {
		routes = append(routes, console.Route{Method: "GET", Path: at.path, Role: popup.RoleViewer, Endpoint: func(w http.ResponseWriter, r *http.Request) error {
			return p.shell(w, r, at)
		}})
	}
	return routes
}

// home leads to the first page, and a program that looks what is here to the page to log in
// at: the others are for browsers alone.
func home(w http.ResponseWriter, r *http.Request) error {
	to := "/popups"
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		to = "/login"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// view is what a template shows.
type view struct {
	translator
	Page, Nav, Key, Nonce, Assets, Version string
	User                                   string // name of the token; empty for that of -admin-token
	Role                                   popup.Role
	Items                                  []string // of the navigation
	LogIn                                  console.LogIn
	Failure                                *console.Problem // of a page
}

// Problem says why a log-in or a page has failed, in the words of this language if it has some.
func (v view) Problem() string {
	switch {
	case v.Failure != nil:
		return cmp.Or(v.texts["problem."+v.Failure.Code], v.texts["login.problem."+v.Failure.Code], v.Failure.Detail)
	case v.LogIn.Problem != nil:
		return cmp.Or(v.texts["login.problem."+v.LogIn.Problem.Code], v.LogIn.Problem.Detail)
	}
	return ""
}

// LogIn answers with the page to log in at.
func (p *Pages) LogIn(w http.ResponseWriter, r *http.Request, l console.LogIn) error {
	return p.render(w, r, l.Status(), "login.html", view{LogIn: l})
}

// Problem answers with a page that says why another one can't be shown, in the words of this
// language if it has some.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, problem *console.Problem) error {
	return p.render(w, r, problem.Status, "problem.html", view{Failure: problem})
}

func (p *Pages) shell(w http.ResponseWriter, r *http.Request, at page) error {
	caller := console.CallerOf(r)
	return p.render(w, r, http.StatusOK, "shell.html", view{
		Page: at.module, Nav: at.nav, Key: r.PathValue("key"), User: caller.Token, Role: caller.Role,
		Items: []string{"popups", "audiences", "users", "settings", "audit", "system"},
	})
}

// render answers with a template. It sets the policy, the language and what all templates show.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, name string, v view) error {
	v.translator, v.Nonce = p.messages.of(r), rand.Text()
	v.Assets, v.Version = p.assets.path, p.config.Version
	var b bytes.Buffer
	if err := p.shells.ExecuteTemplate(&b, name, v); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", fmt.Sprintf(policy, v.Nonce))
	h.Set("Content-Language", v.Lang)
	h.Set("Vary", "Cookie, Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the client has gone
	return nil
}
