package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

// members are the sessions of a plane.
type members struct {
	mu     sync.Mutex
	now    func() int64
	list   map[string]popup.ConsoleSession // by id
	down   error                           // of every change
	find   error                           // Find's answer
	used   []string
	change []string // actor, action and what of each change
}

func (m *members) Find(_ context.Context, id string) (popup.ConsoleSession, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.list[id]
	return s, ok && m.find == nil, m.find
}

func (m *members) Used(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used = append(m.used, id)
}

func (m *members) Open(_ context.Context, c popup.Change, s popup.ConsoleSession, replaces string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down == nil {
		m.endLocked(func(old popup.ConsoleSession) bool { return old.ID == replaces })
		m.list[s.ID] = s
		m.change = append(m.change, c.Actor+" "+c.Action+" "+string(s.Role))
	}
	return m.down
}

func (m *members) End(_ context.Context, c popup.Change, id string) error {
	return m.end(c, func(s popup.ConsoleSession) bool { return s.ID == id })
}

func (m *members) EndAll(_ context.Context, c popup.Change, name string) error {
	return m.end(c, func(s popup.ConsoleSession) bool { return s.Name == name })
}

func (m *members) Refused(_ context.Context, c popup.Change, why string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change = append(m.change, c.Actor+" "+c.Action+" "+why)
	return m.down
}

func (m *members) end(c popup.Change, which func(popup.ConsoleSession) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down == nil {
		m.endLocked(which)
		m.change = append(m.change, c.Actor+" "+c.Action)
	}
	return m.down
}

func (m *members) endLocked(which func(popup.ConsoleSession) bool) {
	for id, s := range m.list {
		if which(s) {
			s.EndsMS = m.now()
			m.list[id] = s
		}
	}
}

// logInPage is what the page to log in at would show.
type logInPage struct{}

func (logInPage) LogIn(w http.ResponseWriter, _ *http.Request, l console.LogIn) error {
	w.WriteHeader(l.Status())
	code := ""
	if l.Problem != nil {
		code = l.Problem.Code
	}
	_, err := fmt.Fprintf(w, "page next=%s problem=%s oidc=%s", l.Next, code, l.OIDC)
	return err
}

func (logInPage) Problem(w http.ResponseWriter, _ *http.Request, p *console.Problem) error {
	if p.Code == "undrawn" {
		return errors.New("no template")
	}
	w.WriteHeader(p.Status)
	_, err := fmt.Fprint(w, "problem ", p.Code)
	return err
}

// browser sends requests as a browser does, and keeps the cookie.
type browser struct {
	*plane
	cookie  string
	address string
	header  http.Header // of every request
}

func (p *plane) browser() *browser {
	return &browser{plane: p, address: "198.51.100.7:1000", header: http.Header{"Sec-Fetch-Site": {"same-origin"}, "Accept": {"*/*"}}}
}

// send sends a request; headers are pairs, of which an empty value removes one.
func (b *browser) send(method, path, body string, headers ...string) (apitest.Answer, *http.Cookie) {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr, r.Header = b.address, b.header.Clone()
	if b.cookie != "" {
		r.Header.Set("Cookie", "popupd_session="+b.cookie)
	}
	if body != "" {
		r.Header.Set("Content-Type", map[bool]string{true: "application/json", false: "application/x-www-form-urlencoded"}[strings.HasPrefix(body, "{")])
	}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Del(headers[i]); headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	var given *http.Cookie
	for _, c := range w.Result().Cookies() {
		if c.Name == "popupd_session" {
			if b.cookie = c.Value; c.MaxAge < 0 {
				b.cookie = ""
			}
			given = c
		}
	}
	return apitest.Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}, given
}

// want fails the test unless a request is answered with a status and, for a problem, its code.
func (b *browser) want(status int, code, method, path string, headers ...string) apitest.Answer {
	b.t.Helper()
	a, _ := b.send(method, path, "", headers...)
	if a.Status != status || a.Code() != code {
		b.t.Errorf("%s %s: %d %q, want %d %q\n%s", method, path, a.Status, a.Code(), status, code, a.Body)
	}
	return a
}

// logIn logs in with a token, as the dialog of a page does, and returns the cookie.
func (b *browser) logIn(token string) *http.Cookie {
	b.t.Helper()
	a, c := b.send("POST", "/login", `{"token":"`+token+`"}`)
	if a.Status != http.StatusNoContent || c == nil || c.Value == "" {
		b.t.Fatalf("log-in: %d %s, cookie %v", a.Status, a.Body, c)
	}
	return c
}

var asPage = []string{"Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode", "navigate"}
