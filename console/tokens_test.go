package console_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

// named are the named tokens of a plane.
type named struct {
	list []popup.AdminToken
	err  error // Find's answer
	used []string
}

func (n *named) Find(_ context.Context, id string) (t popup.AdminToken, ok bool, err error) {
	i := slices.IndexFunc(n.list, func(t popup.AdminToken) bool { return t.ID == id })
	if i < 0 || n.err != nil {
		return t, false, n.err
	}
	return n.list[i], true, nil
}

func (n *named) Used(id string) { n.used = append(n.used, id) }

// add makes a token that lives for an hour, and returns it.
func (n *named) add(name string, role popup.Role) (token string) {
	token, id := popup.NewAdminTokenSecret()
	n.list = append(n.list, popup.AdminToken{ID: id, Name: name, Role: role, ExpiresAt: apitest.Noon.Add(time.Hour), Hash: popup.HashAdminToken(token)})
	return token
}

// wrong returns a token with the same id and another secret.
func wrong(token string) string {
	last := map[bool]string{true: "1", false: "0"}[strings.HasSuffix(token, "0")]
	return token[:len(token)-1] + last
}

func TestNamedTokens(t *testing.T) {
	p := newPlane(t)
	tokens := map[popup.Role]string{}
	for _, role := range popup.Roles() {
		tokens[role] = p.tokens.add("the-"+string(role), role)
	}
	for role, token := range tokens {
		bearer := []string{"Authorization", "Bearer " + token}
		for _, op := range []struct {
			method, path string
			needs        popup.Role
			want         int
		}{
			{"GET", popupsPath, popup.RoleViewer, 200},
			{"HEAD", popupsPath, popup.RoleViewer, 200},
			{"POST", reloadPath, popup.RolePublisher, 200},
			{"GET", "/debug/pprof/", popup.RoleAdmin, 200},
			{"GET", "/debug/pprof/symbol", popup.RoleAdmin, 200},
			{"PATCH", popupsPath, popup.RoleViewer, 405},
			{"GET", "/v1/nothing", popup.RoleViewer, 404},
		} {
			a := p.Send(op.method, op.path, "", bearer...)
			if role.Covers(op.needs) {
				if a.Status != op.want {
					t.Errorf("%s %s as %s: %d, want %d", op.method, op.path, role, a.Status, op.want)
				}
				continue
			}
			if a.Status != http.StatusForbidden {
				t.Errorf("%s %s as %s: %d, want 403", op.method, op.path, role, a.Status)
			}
			if op.method == "HEAD" {
				continue
			}
			if body := a.JSON(t); body["code"] != "role_required" || body["role"] != string(op.needs) || !strings.Contains(body["detail"].(string), "the-"+string(role)) {
				t.Errorf("%s %s as %s: %v", op.method, op.path, role, body)
			}
		}
	}
	slices.SortFunc(p.callers, func(a, b console.Caller) int { return strings.Compare(a.Token, b.Token) })
	if want := []console.Caller{{Token: "the-admin", Role: popup.RoleAdmin}, {Token: "the-publisher", Role: popup.RolePublisher}}; !slices.Equal(p.callers, want) {
		t.Errorf("callers %v, want %v", p.callers, want)
	}
	if len(p.tokens.used) != 7*len(tokens) {
		t.Errorf("%d uses are noted, want %d", len(p.tokens.used), 7*len(tokens))
	}
	if n := strings.Count(p.Logged(), "\n"); n != 0 {
		t.Errorf("refusals are logged:\n%s", p.Logged())
	}
}

func TestWrongNamedTokens(t *testing.T) {
	p := newPlane(t)
	ci := p.tokens.add("ci", popup.RoleViewer)
	unknown, _ := popup.NewAdminTokenSecret()
	for _, c := range []struct {
		name, token string
		after       time.Duration
		code        string
	}{
		{"another secret", wrong(ci), 0, "unauthorized"},
		{"another id", unknown, 0, "unauthorized"},
		{"cut", ci[:len(ci)-1], 0, "unauthorized"},
		{"longer", ci + "0", 0, "unauthorized"},
		{"in capitals", strings.ToUpper(ci), 0, "unauthorized"},
		{"without its prefix", strings.TrimPrefix(ci, "popupd_"), 0, "unauthorized"},
		{"just in time", ci, time.Hour - time.Millisecond, ""},
		{"expired", ci, time.Millisecond, "token_expired"},
		{"expired, with another secret", wrong(ci), 0, "unauthorized"},
	} {
		p.Advance(c.after)
		a := p.Send("GET", popupsPath, "", "Authorization", "Bearer "+c.token)
		if a.Code() != c.code || (a.Status == 401) != (c.code != "") {
			t.Errorf("%s: %d %q, want %q", c.name, a.Status, a.Code(), c.code)
		}
		if challenge := a.Header.Get("WWW-Authenticate"); (challenge == `Bearer realm="popupd", error="invalid_token"`) != (c.code != "") {
			t.Errorf("%s: WWW-Authenticate %q", c.name, challenge)
		}
	}
	if len(p.tokens.used) != 1 {
		t.Errorf("%d uses are noted, want 1", len(p.tokens.used))
	}
}

// Without the database, named tokens are not taken for wrong, and guesses of them count no
// more than they can tell: nothing.
func TestNamedTokensUnknown(t *testing.T) {
	p := newPlane(t)
	ci := p.tokens.add("ci", popup.RoleViewer)
	p.tokens.err = errors.New("no database")
	for range 2 * 10 {
		a := p.Want(503, "tokens_unavailable", "GET", popupsPath, "", "Authorization", "Bearer "+ci)
		if a.Header.Get("Retry-After") == "" {
			t.Fatal("no Retry-After")
		}
	}
	p.Want(200, "", "GET", popupsPath, "")
	p.Want(401, "unauthorized", "GET", popupsPath, "", "Authorization", "Bearer guess")
}

// The token of -admin-token may look like a named one.
func TestAdminTokenLooksNamed(t *testing.T) {
	p := newPlane(t)
	c := p.config
	c.Registerer = nil
	c.Token, _ = popup.NewAdminTokenSecret()
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.tokens.err = errors.New("no database")
	apitest.NewClient(t, server, c.Token).Want(200, "", "GET", popupsPath, "")
}

func TestLockoutPerToken(t *testing.T) {
	p := newPlane(t)
	one, two := p.tokens.add("one", popup.RoleViewer), p.tokens.add("two", popup.RoleViewer)
	const here, there = "198.51.100.7:1000", "198.51.100.8:1000"
	get := func(from, token string) int {
		return p.from(from, "GET", popupsPath, "Authorization", "Bearer "+token).Status
	}
	for i := range 10 {
		if got, want := get(here, wrong(one)), map[bool]int{false: 401, true: 429}[i == 9]; got != want {
			t.Fatalf("guess %d: %d, want %d", i+1, got, want)
		}
	}
	for _, c := range []struct {
		name, from, token string
		want              int
	}{
		{"the right one", here, one, 429},
		{"the right one elsewhere", there, one, 200},
		{"another one", here, two, 200},
		{"that of -admin-token", here, token, 200},
		{"one that does not exist", here, "guess", 401},
	} {
		if got := get(c.from, c.token); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	// Tokens that are deleted, or made up, count together, and for nothing else.
	for i := range 11 {
		deleted, _ := popup.NewAdminTokenSecret()
		if got, want := get(here, deleted), map[bool]int{false: 401, true: 429}[i >= 9]; got != want {
			t.Errorf("deleted token %d: %d, want %d", i+1, got, want)
		}
	}
	if got := get(here, token); got != 200 {
		t.Errorf("that of -admin-token beside deleted ones: %d, want 200", got)
	}
	// Anything else is a guess of that of -admin-token.
	for range 9 {
		get(here, "guess")
	}
	if got := get(here, token); got != 429 {
		t.Errorf("that of -admin-token after ten guesses: %d, want 429", got)
	}
	if got := get(here, two); got != 200 {
		t.Errorf("another token after those guesses: %d, want 200", got)
	}
	// A program whose token has expired locks out itself.
	p.Advance(2 * time.Hour)
	for range 10 {
		get(there, two)
	}
	if got := get(there, two); got != 429 {
		t.Errorf("an expired token, again and again: %d, want 429", got)
	}
	if got := get(there, token); got != 200 {
		t.Errorf("that of -admin-token beside it: %d, want 200", got)
	}
	for _, want := range []string{"client=198.51.100.7/32 token=one", "client=198.51.100.7/32 token=unknown", `client=198.51.100.7/32 token=""`, "client=198.51.100.8/32 token=two"} {
		if !strings.Contains(p.Logged(), want) {
			t.Errorf("the log lacks %q:\n%s", want, p.Logged())
		}
	}
	if strings.Contains(p.Logged(), "popupd_") {
		t.Errorf("a token is logged:\n%s", p.Logged())
	}
}
