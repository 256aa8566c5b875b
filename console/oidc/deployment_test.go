package oidc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/console/oidc"
	"github.com/popupd/popupd/console/sessions"
	"github.com/popupd/popupd/console/tokens"
	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// person is a user of the issuer. Its claims are laid over those of each ID token.
type person jwt.MapClaims

func (p person) ID() string { return "sub-1" }

func (p person) Userinfo([]string) ([]byte, error) { return []byte("{}"), nil }

func (p person) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	text, err := json.Marshal(base)
	if err != nil {
		return nil, err
	}
	all := jwt.MapClaims{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	maps.Copy(all, jwt.MapClaims(p))
	return all, nil
}

// deployment is an issuer, a database and a console, and the browser of a person.
type deployment struct {
	apitest.Env
	t       *testing.T
	issuer  *mockoidc.MockOIDC
	config  oidc.Config
	db      *persist.DB
	console *httptest.Server
	browser *http.Client
	pages   []console.LogIn // that were shown
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{t: t}
	d.Advance(time.Since(apitest.Noon)) // the issuer has a clock of its own
	issuer, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := issuer.Server.Close(); err != nil {
			t.Error(err)
		}
	})
	d.issuer = issuer
	d.config = oidc.Config{Issuer: issuer.Issuer(), ClientID: issuer.ClientID, ClientSecret: issuer.ClientSecret, RoleClaim: "roles", Now: d.Clock, Log: d.Logger()}
	d.db, err = persist.Open(persist.Config{SQLite: filepath.Join(t.TempDir(), "popupd.db"), Now: d.Clock, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.db.Close() })
	if err := d.db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.newBrowser()
	return d
}

// start starts a console, in the place of the one before.
func (d *deployment) start() {
	d.t.Helper()
	who := func(w http.ResponseWriter, r *http.Request) error {
		c := console.CallerOf(r)
		_, err := fmt.Fprint(w, c.Actor(), " ", c.Role)
		return err
	}
	server, err := console.New(console.Config{
		Routes: []console.Route{{Method: "GET", Path: "/users", Role: popup.RoleViewer, Endpoint: who}}, Token: "secret-token",
		Tokens: tokens.New(d.db, d.Clock, d.Logger()), Sessions: sessions.New(d.db, d.Clock, d.Logger()), Pages: d, SignOn: oidc.New(d.config),
		Ready: d.Readiness, OpenAPI: docs.OpenAPI, Now: d.Clock, Log: d.Logger(), Gatherer: prometheus.NewRegistry(),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.console = httptest.NewServer(server)
	d.t.Cleanup(d.console.Close)
}

func (d *deployment) LogIn(w http.ResponseWriter, _ *http.Request, l console.LogIn) error {
	d.pages = append(d.pages, l)
	w.WriteHeader(l.Status())
	return nil
}

func (d *deployment) Problem(http.ResponseWriter, *http.Request, *console.Problem) error {
	return errors.New("not drawn")
}

func (d *deployment) newBrowser() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.browser = &http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get asks for an address as a browser that wants a page.
func (d *deployment) get(address string) (status int, location, body string) {
	d.t.Helper()
	return d.do(http.MethodGet, address)
}

func (d *deployment) do(method, address string) (status int, location, body string) {
	d.t.Helper()
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", "none")
	res, err := d.browser.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(text)
}

func (d *deployment) send(r *http.Request) (status int) {
	d.t.Helper()
	res, err := d.browser.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// ask begins to log in, and lets a person say yes. It returns the address that they come back to.
func (d *deployment) ask(p person) (callback string) {
	d.t.Helper()
	d.issuer.QueueUser(p)
	status, authorize, body := d.get(d.console.URL + "/login/oidc?next=/users")
	if status != http.StatusSeeOther {
		d.t.Fatalf("begin: %d %s", status, body)
	}
	status, callback, body = d.get(authorize)
	if status != http.StatusFound || !strings.HasPrefix(callback, d.console.URL+"/login/oidc/callback?") {
		d.t.Fatalf("the issuer answers %d to %s %s", status, callback, body)
	}
	return callback
}

// refused fails the test unless a callback leads to the page to log in at, with this problem.
func (d *deployment) refused(name, callback string, status int, code string) {
	d.t.Helper()
	before := len(d.pages)
	got, _, body := d.get(callback)
	if got != status || len(d.pages) != before+1 || d.pages[before].Problem == nil || d.pages[before].Problem.Code != code || d.pages[before].OIDC != "/login/oidc?next=%2Fpopups" {
		d.t.Errorf("%s: %d, page %+v %s; want %d %s", name, got, d.pages[before:], body, status, code)
	}
	if got, _, body := d.get(d.console.URL + "/users"); got != http.StatusSeeOther {
		d.t.Errorf("%s: logged in all the same: %d %s", name, got, body)
	}
}

// audit returns what the audit trail has, oldest first.
func (d *deployment) audit() (lines []string) {
	d.t.Helper()
	list, err := d.db.Audit(d.t.Context(), "", 0, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range slices.Backward(list) {
		object, _, _ := strings.Cut(e.Object, ":")
		lines = append(lines, e.Actor+" "+e.Action+" "+object)
	}
	return lines
}
