//go:build linux

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// notice is what a webhook says of a change.
type notice struct {
	Type string
	Data struct {
		Popup         struct{ Key, Status string }
		Actor, Source string
	}
}

// verify returns an error unless a webhook is signed as Standard Webhooks says.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func verify(key []byte, header http.Header, body []byte) error {
	second, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if age := time.Since(time.Unix(second, 0)); err != nil || age.Abs() > 5*time.Minute {
		return fmt.Errorf("timestamp %q: %v old, %v", header.Get("webhook-timestamp"), age, err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", header.Get("webhook-id"), second, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if got := header.Get("webhook-signature"); got != want || header.Get("webhook-id") == "" {
		return fmt.Errorf("webhook %q is signed %q, want %q", header.Get("webhook-id"), got, want)
	}
	return nil
}

// receiveNotices returns the flags of a server that tells of changes, and what verifies the
// next of them and gives it.
func receiveNotices(t *testing.T) (flags []string, next func() notice) {
	t.Helper()
	key := []byte("a key that both sides have, of 32 bytes or more")
	received := make(chan notice, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify(key, r.Header, body)
		}
		var n notice
		if err == nil {
			err = json.Unmarshal(body, &n)
		}
		if err != nil {
			t.Errorf("webhook: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		received <- n
	}))
	t.Cleanup(receiver.Close)
	next = func() notice {
		t.Helper()
		select {
		case n := <-received:
			return n
		case <-time.After(20 * time.Second):
			t.Fatal("no webhook comes")
			return notice{}
		}
	}
	return []string{"-webhook", receiver.URL, "-webhook-secret", "whsec_" + base64.StdEncoding.EncodeToString(key)}, next
}

// gitRepository is a clone of a bare repository that has the hooks of docs/config-as-code.md.
type gitRepository struct {
	t      *testing.T
	server *server
	root   string
}

func newGitRepository(t *testing.T, s *server) *gitRepository {
	t.Helper()
	if err := testbed.Need("git", "git"); err != nil {
		if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	g := &gitRepository{t: t, server: s, root: t.TempDir()}
	g.run(".", 0, "mkdir bin tokens && git init -q --bare -b main popups.git && git init -q -b main clone && git -C clone remote add origin ../popups.git")
	if err := os.Symlink(binary, filepath.Join(g.root, "bin/popupd")); err != nil {
		t.Fatal(err)
	}
	for hook, role := range map[string]string{"pre-receive": "viewer", "post-receive": "admin"} {
		var made struct{ Token string }
		if status := s.admin("POST", "/v1/admin/tokens", fmt.Sprintf(`{"name":"git-%s","role":%q}`, hook, role), "", &made); status != http.StatusCreated {
			t.Fatalf("token: status %d", status)
		}
		g.write("tokens/"+role+"-token", made.Token)
		text := block(t, filesPage, "sh", "#!/bin/sh\nset -eu\nexport POPUPD_TOKEN_FILE=\"${POPUPD_TOKEN_FILE:-/etc/popupd/"+role+"-token}\"\n")
		g.write("popups.git/hooks/"+hook, strings.Replace(text, "/etc/popupd", filepath.Join(g.root, "tokens"), 1))
	}
	return g
}

func (g *gitRepository) write(name, text string) {
	g.t.Helper()
	name = filepath.Join(g.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil { // hooks are programs
		g.t.Fatal(err)
	}
}

// run runs a script in a directory, and holds its exit code and what it prints.
func (g *gitRepository) run(dir string, code int, script string, prints ...string) (printed string) {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), "sh", "-c", script)
	cmd.Dir = filepath.Join(g.root, dir)
	cmd.Env = append(testbed.Environ(), "PATH="+g.root+"/bin:"+os.Getenv("PATH"), "POPUPD_SERVER="+g.server.adminURL,
		"HOME="+g.root, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		g.t.Fatalf("%s\nexit code %d, want %d:\n%s", script, got, code, out)
	}
	for _, want := range prints {
		if !strings.Contains(string(out), want) {
			g.t.Errorf("%s\nprints\n%s\nwant in it\n%s", script, out, want)
		}
	}
	return strings.TrimSpace(string(out))
}

// TestGitPush: a push to a repository with the hooks of docs/config-as-code.md is told to a
// webhook and served, its revert takes it back, and a change by hand is found by diff.
func TestGitPush(t *testing.T) {
	t.Parallel()
	flags, next := receiveNotices(t)
	st := startStores(t)
	s := start(t, append(st.args(), flags...)...)
	g := newGitRepository(t, s)
	// told holds the next webhook, of what a push has done to a popup.
	told := func(kind, key, status string) {
		t.Helper()
		n := next()
		if n.Type != kind || n.Data.Popup.Key != key || n.Data.Popup.Status != status || n.Data.Actor != "git-post-receive" {
			t.Errorf("the webhook says %+v, want %s of %s", n, kind, key)
		}
	}
	serves := func(user, placement, want string) {
		t.Helper()
		got := ""
		p, err := s.ask(user, "placement="+placement)
		if p != nil {
			got = p.Popup.Key
		}
		if err != nil || got != want {
			t.Errorf("%s is shown %q at %s, %v; want %q", user, got, placement, err, want)
		}
	}

	g.write("clone/config/settings.yaml", "kind: settings\nmin_gap_sec: 0\n")
	g.write("clone/config/popups/welcome.yaml", "key: welcome\nstatus: active\npriority: 3\nplacements: [home]\n")
	g.run("clone", 0, "git add . && git commit -qm welcome && git push -q origin main", "+ popup welcome, config/popups/welcome.yaml:1:1")
	told("popup.published", "welcome", "active")
	serves("ann", "home", "welcome")

	g.write("clone/config/popups/sale.yaml", "key: sale\nstatus: active\nplacements: [shop]\n")
	g.run("clone", 0, "git add . && git commit -qm sale && git push -q origin main", "1 created, 0 changed, 0 archived")
	sha := g.run("clone", 0, "git rev-parse HEAD")
	n := next()
	if want := "acme/popups:popups/sale.yaml@" + sha; n.Type != "popup.published" || n.Data.Popup.Key != "sale" || n.Data.Source != want {
		t.Errorf("the webhook says %+v, want that sale is published from %s", n, want)
	}
	serves("ann", "shop", "sale")

	g.write("clone/config/popups/sale.yaml", "key: sale\nstatus: active\nplacement: [shop]\n")
	g.run("clone", 1, "git commit -qam typo && git push -q origin main", "config/popups/sale.yaml:3:1: placement is not a known field", "pre-receive hook declined")
	g.run("clone", 0, "git reset -q --hard HEAD~1")
	serves("bob", "shop", "sale")

	g.run("clone", 0, "git revert --no-edit HEAD && git push -q origin main", "- popup sale", "0 created, 0 changed, 1 archived")
	told("popup.archived", "sale", "archived")
	serves("cid", "shop", "")
	serves("cid", "home", "welcome")

	diff := "POPUPD_TOKEN_FILE=../tokens/viewer-token popupd popups diff -f config -prune -source acme/popups"
	g.run("clone", 0, diff)
	if status := s.admin("PUT", "/v1/admin/popups/welcome", `{"key":"welcome","status":"active","priority":9,"placements":["home"]}`, `"1"`, nil); status != http.StatusOK {
		t.Fatalf("a change by hand: status %d", status)
	}
	if n := next(); n.Type != "popup.published" || n.Data.Actor != "admin" {
		t.Errorf("the webhook says %+v, want a change by admin", n)
	}
	g.run("clone", 3, diff, "~ popup welcome", "priority: 9 -> 3", "0 to create, 1 to change, 0 to archive")
}
