package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/sdk"
)

func newPages(t *testing.T) *Pages {
	t.Helper()
	p, err := New(Config{Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// get asks an endpoint of the pages.
func (p *Pages) get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	for _, r := range p.Routes() {
		route := strings.TrimSuffix(r.Path, "/")
		if route != r.Path {
			route += "/{$}"
		}
		mux.HandleFunc(r.Method+" "+route, func(w http.ResponseWriter, req *http.Request) {
			if err := r.Endpoint(w, req); err != nil {
				http.Error(w, err.Error(), http.StatusTeapot)
			}
		})
	}
	req := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	return w
}

// TestShells: every page has a shell in both languages, with a nonce of its own and nothing inline.
func TestShells(t *testing.T) {
	p, nonces := newPages(t), map[string]bool{}
	inline := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<script>|<style|javascript:`)
	for _, at := range pages {
		if _, err := os.Stat("src/pages/" + at.module + ".js"); err != nil {
			t.Errorf("%s: %v", at.path, err)
		}
		for lang, nav := range map[string]string{"en": ">System<", "zh": ">系统<", "zh-TW,zh;q=0.9": ">系统<", "de,en;q=0.5": ">System<"} {
			w := p.get(t, strings.ReplaceAll(at.path, "{key}", "spring-sale"), "Accept-Language", lang)
			body := w.Body.String()
			if w.Code != http.StatusOK || !strings.Contains(body, nav) || !strings.Contains(body, `data-page="`+at.module+`"`) || inline.MatchString(body) {
				t.Errorf("%s in %s: %d %s", at.path, lang, w.Code, body)
			}
			nonce := regexp.MustCompile(`'nonce-([^']+)'`).FindStringSubmatch(w.Header().Get("Content-Security-Policy"))
			if nonce == nil || nonces[nonce[1]] || len(nonce[1]) < 22 || !strings.Contains(body, `nonce="`+nonce[1]+`"`) {
				t.Errorf("%s: policy %q", at.path, w.Header().Get("Content-Security-Policy"))
			} else {
				nonces[nonce[1]] = true
			}
		}
	}
	if got := p.get(t, "/system", "Accept-Language", "en", "Cookie", LangCookie+"=zh").Body.String(); !strings.Contains(got, `lang="zh-Hans"`) {
		t.Errorf("chosen zh: %s", got)
	}
}

// TestHome: browsers are led to the first page, programs to where one logs in.
func TestHome(t *testing.T) {
	for accept, want := range map[string]string{"text/html,*/*;q=0.8": "/popups", "*/*": "/login", "": "/login"} {
		if w := newPages(t).get(t, "/", "Accept", accept); w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("%q: %d %s, want %s", accept, w.Code, w.Header().Get("Location"), want)
		}
	}
}

// TestEscaping: what an address names does not become HTML.
func TestEscaping(t *testing.T) {
	got := newPages(t).get(t, "/popups/"+`%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E`).Body.String()
	if strings.Contains(got, "<script>") || !strings.Contains(got, "&lt;script&gt;") {
		t.Errorf("%s", got)
	}
}

// TestLogIn: the log-in page says why the one before failed, in the reader's language where it
// has words for that, and goes on where it is told.
func TestLogIn(t *testing.T) {
	for _, c := range []struct {
		name, lang string
		l          console.LogIn
		status     int
		want       []string
		no         string
	}{
		{"first", "en", console.LogIn{Next: `/users?uid="x`}, 200, []string{`value="/users?uid=&#34;x"`, ">Token<"}, "alert"},
		{"failed", "en", console.LogIn{Next: "/popups", Problem: console.NewProblem(422, "new", "No such <token>.")}, 422, []string{"No such &lt;token&gt;."}, "organization"},
		{"in Chinese", "zh", console.LogIn{Next: "/popups", Problem: console.NewProblem(401, "unauthorized", "No such token.")}, 401, []string{"没有这个令牌"}, "No such"},
		{"single sign-on", "en", console.LogIn{Next: "/popups", OIDC: "/login/oidc?next=%2Fpopups"}, 200, []string{`href="/login/oidc?next=%2Fpopups"`, "organization"}, "alert"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/login", nil)
		r.Header.Set("Accept-Language", c.lang)
		err := newPages(t).LogIn(w, r, c.l)
		body := w.Body.String()
		if err != nil || w.Code != c.status || strings.Contains(body, c.no) {
			t.Errorf("%s: %d %v %s", c.name, w.Code, err, body)
		}
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in %s", c.name, want, body)
			}
		}
	}
}

// TestProblem: a page that can't be shown says why, in the reader's language where it has words.
func TestProblem(t *testing.T) {
	for _, c := range []struct{ lang, code, want string }{
		{"en", "not_found", "There is nothing at this address."}, {"zh", "not_found", "此地址没有内容。"}, {"en", "locked_out", "Too many wrong tokens"},
		{"en", "new", "Says &lt;the server&gt;."},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/nothing", nil)
		r.Header.Set("Accept-Language", c.lang)
		err := newPages(t).Problem(w, r, console.NewProblem(404, c.code, "Says <the server>."))
		if err != nil || w.Code != 404 || !strings.Contains(w.Body.String(), c.want) || !strings.Contains(w.Body.String(), `href="/popups"`) {
			t.Errorf("%s in %s: %d %v %s", c.code, c.lang, w.Code, err, w.Body)
		}
	}
}

// TestAssets: files may be kept for ever, and go compressed to who takes that.
func TestAssets(t *testing.T) {
	p := newPages(t)
	plain, zipped := p.get(t, p.assets.path+"console.js"), p.get(t, p.assets.path+"console.js", "Accept-Encoding", "gzip, br")
	if plain.Code != http.StatusOK || plain.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", plain.Code, plain.Header())
	}
	if zipped.Header().Get("Content-Encoding") != "gzip" || !bytes.HasPrefix(zipped.Body.Bytes(), []byte{0x1f, 0x8b}) {
		t.Errorf("zipped: %v", zipped.Header())
	}
	for _, path := range []string{p.assets.path + "none.js", "/assets/0000000000000000/console.js", p.assets.path + "console.css.map"} {
		if got := p.get(t, path); got.Code != http.StatusTeapot || got.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: %d %v", path, got.Code, got.Header())
		}
	}
}

// TestMessages: both languages have the same messages with the same values in them.
func TestMessages(t *testing.T) {
	files, err := filepath.Glob("messages/en/*.json")
	others, _ := filepath.Glob("messages/zh/*.json")
	if err != nil || len(files) == 0 || len(files) != len(others) {
		t.Fatalf("%v and %v, %v", files, others, err)
	}
	for _, file := range files {
		en, zh := readFile(t, file), readFile(t, strings.Replace(file, "/en/", "/zh/", 1))
		for key := range zh {
			if en[key] == nil {
				t.Errorf("%s: %s is in zh alone", file, key)
			}
		}
		for key, message := range en {
			if got, want := valuesOf(t, zh[key]), valuesOf(t, message); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the values %q in zh, %q in en", file, key, got, want)
			}
		}
	}
}

func readFile(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// valuesOf returns the names in braces of a message, of its form "other" if it has several.
func valuesOf(t *testing.T, message any) []string {
	t.Helper()
	text, ok := message.(string)
	if forms, several := message.(map[string]any); several {
		text, ok = forms["other"].(string)
	}
	if !ok || text == "" {
		t.Errorf("message %v is no text", message)
	}
	names := regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1)
	slices.Sort(names)
	return slices.Compact(names)
}

// TestBundle: what is committed is what the source gives.
func TestBundle(t *testing.T) {
	if testing.Short() {
		t.Skip("builds esbuild")
	}
	needPackages(t)
	dir := filepath.Join(t.TempDir(), "dist")
	command(t, "make", "-s", "-C", "../..", "console", "CONSOLE="+dir)
	built, _ := filepath.Glob(dir + "/*")
	committed, _ := filepath.Glob("dist/*")
	if len(built) == 0 || len(built) != len(committed) {
		t.Fatalf("%d files, committed are %d: make console", len(built), len(committed))
	}
	for _, file := range built {
		want, _ := os.ReadFile(file)
		if got, err := os.ReadFile("dist/" + filepath.Base(file)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the source gives (%v): make console", filepath.Base(file), err)
		}
	}
}

// TestTypes: the modules keep the types that their comments give.
func TestTypes(t *testing.T) {
	needPackages(t)
	command(t, "node", "node_modules/typescript/bin/tsc", "-p", ".")
}

// TestModules: the arithmetic of the pages, without a browser.
func TestModules(t *testing.T) {
	needPackages(t)
	tests, err := filepath.Glob("test/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatalf("%v, %v", tests, err)
	}
	command(t, "node", append([]string{"--test"}, tests...)...)
}

func needPackages(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("node_modules")
	}
	if err != nil {
		if os.Getenv("POPUPD_REQUIRE_STORES") == "1" && !testing.Short() {
			t.Fatalf("%v: make console-tools", err)
		}
		t.Skipf("%v: make console-tools", err)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// TestPreviewFrame: the frame of the preview is of no origin, may be in a page of the console
// alone, and shows popups by the SDK that pages load. No other page may be in a frame.
func TestPreviewFrame(t *testing.T) {
	p := newPages(t)
	w := p.get(t, "/preview")
	csp, body := w.Header().Get("Content-Security-Policy"), w.Body.String()
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'self'", "form-action 'none'", "base-uri 'none'", "; sandbox allow-scripts"} {
		if !strings.Contains(csp+";", want+";") {
			t.Errorf("policy %q lacks %q", csp, want)
		}
	}
	nonce := regexp.MustCompile(`'nonce-([^']+)'`).FindStringSubmatch(csp)
	if nonce == nil || strings.Count(body, `nonce="`+nonce[1]+`"`) != 3 || regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<script>|<style`).MatchString(body) {
		t.Errorf("policy %q of %s", csp, body)
	}
	if got := w.Header().Get("X-Frame-Options"); got != "SAMEORIGIN" {
		t.Errorf("X-Frame-Options %q", got)
	}
	for _, at := range pages {
		w := p.get(t, strings.ReplaceAll(at.path, "{key}", "k"))
		if got := w.Header().Get("X-Frame-Options"); got != "" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: X-Frame-Options %q, policy %q", at.path, got, w.Header().Get("Content-Security-Policy"))
		}
	}
	for _, src := range regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(body, -1) {
		if got := p.get(t, src[1]); got.Code != http.StatusOK || got.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", src[1], got.Code, got.Header())
		}
	}
	for name, want := range map[string][]byte{"popupd.js": sdk.Script, "popupd.mock.mjs": sdk.Mock} {
		if got := p.get(t, p.assets.path+name); !bytes.Equal(got.Body.Bytes(), want) || got.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%s: %d bytes, %v", name, got.Body.Len(), got.Header())
		}
	}
}
