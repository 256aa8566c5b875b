package sessions_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/console/sessions"
	"github.com/popupd/popupd/console/tokens"
	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// server is one of several on a database, as far as its console.
type server struct {
	*httptest.Server
	db     *persist.DB
	tokens *tokens.Cache
}

func newServer(t *testing.T, c persist.Config) *server {
	t.Helper()
	now := func() int64 { return time.Now().UnixMilli() }
	c.Registerer = prometheus.NewRegistry()
	db, err := persist.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	s := &server{db: db, tokens: tokens.New(db, now, log)}
	members := sessions.New(db, now, log)
	console, err := console.New(console.Config{
		Routes: []console.Route{{Method: "GET", Path: "/v1/who", Role: popup.RoleViewer, Endpoint: func(w http.ResponseWriter, r *http.Request) error {
			_, err := fmt.Fprint(w, console.CallerOf(r).Actor(), " ", console.CallerOf(r).Role)
			return err
		}}},
		Token: "secret-token", Tokens: s.tokens, Sessions: members, Ready: func() error { return nil }, OpenAPI: docs.OpenAPI, Gatherer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(console)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{}, 2)
	for _, run := range []func(context.Context) error{s.tokens.Run, members.Run} {
		go func() { _ = run(ctx); done <- struct{}{} }()
	}
	t.Cleanup(func() {
		cancel()
		<-done
		<-done
		s.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// browser sends the cookie of one host to all servers: a balancer is in front of them.
type browser struct {
	t *testing.T
	*http.Client
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}}
}

func (b browser) send(s *server, method, path, body string) (status int, answer string) {
	b.t.Helper()
	r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// is fails the test unless a browser is logged in at a server as somebody, or as nobody.
func (b browser) is(s *server, who string) {
	b.t.Helper()
	status, answer := b.send(s, "GET", "/v1/who", "")
	if who == "" && status != 401 || who != "" && (status != 200 || answer != who) {
		b.t.Errorf("logged in as %d %s, want %q", status, answer, who)
	}
}

// becomesNobody waits until a browser is logged out, which takes a server 5 s at most.
func (b browser) becomesNobody(s *server) {
	b.t.Helper()
	began := time.Now()
	for {
		if status, answer := b.send(s, "GET", "/v1/who", ""); status == 401 {
			return
		} else if time.Since(began) > 5*time.Second {
			b.t.Errorf("logged in still: %d %s", status, answer)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (b browser) logIn(s *server, token string) {
	b.t.Helper()
	if status, answer := b.send(s, "POST", "/login", "token="+token); status != 204 {
		b.t.Fatalf("log-in: %d %s", status, answer)
	}
}

// TestTwoServers: who logs in at one server is logged in at the other, also after a restart, and
// logged out on both when the token goes or somebody says so.
func TestTwoServers(t *testing.T) {
	stores := map[string]func(t *testing.T) persist.Config{
		"mariadb": func(t *testing.T) persist.Config { return persist.Config{DSN: storetest.MySQL(t)} },
		"sqlite": func(t *testing.T) persist.Config {
			return persist.Config{SQLite: filepath.Join(t.TempDir(), "popupd.db")}
		},
	}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := store(t)
			one, two := newServer(t, config), newServer(t, config)
			token, id := popup.NewAdminTokenSecret()
			now := time.Now()
			ci := popup.AdminToken{ID: id, Name: "ci", Role: popup.RoleEditor, CreatedAt: now, ExpiresAt: now.Add(time.Hour), Hash: popup.HashAdminToken(token)}
			if err := one.tokens.CreateAdminToken(t.Context(), popup.Change{Actor: "admin", Action: "create_token"}, ci); err != nil {
				t.Fatal(err)
			}
			ann, bob, admin := newBrowser(t), newBrowser(t), newBrowser(t)
			ann.logIn(one, token)
			bob.logIn(two, token)
			admin.logIn(two, "secret-token")
			for _, s := range []*server{one, two, newServer(t, config)} {
				ann.is(s, "ci editor")
				bob.is(s, "ci editor")
				admin.is(s, "admin admin")
				newBrowser(t).is(s, "")
			}

			// One logs out, the other goes on.
			copied := newBrowser(t)
			copied.Jar = copyOf(t, ann, one)
			if status, _ := ann.send(two, "POST", "/logout", ""); status != 204 {
				t.Errorf("log-out: %d", status)
			}
			ann.is(one, "")
			copied.is(two, "")
			copied.becomesNobody(one)
			bob.is(one, "ci editor")

			ann.logIn(one, token)
			copied.Jar = copyOf(t, bob, one)
			if status, _ := ann.send(one, "POST", "/logout/everywhere", ""); status != 204 {
				t.Errorf("log-out everywhere: %d", status)
			}
			copied.is(one, "")
			copied.becomesNobody(two)

			ann.logIn(one, token)
			ann.is(two, "ci editor")
			if err := one.tokens.DeleteAdminToken(t.Context(), popup.Change{Actor: "admin", Action: "delete_token"}, "ci"); err != nil {
				t.Fatal(err)
			}
			ann.is(one, "")
			ann.becomesNobody(two)
			admin.is(one, "admin admin")
			admin.is(two, "admin admin")
		})
	}
}

// copyOf returns a jar with the cookies that a browser would send to a server.
func copyOf(t *testing.T, b browser, s *server) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	r, requestErr := http.NewRequest("GET", s.URL, nil)
	if err != nil || requestErr != nil {
		t.Fatal(err, requestErr)
	}
	jar.SetCookies(r.URL, b.Jar.Cookies(r.URL))
	return jar
}
