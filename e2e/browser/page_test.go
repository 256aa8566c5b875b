package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long something that should happen may take.
const patience = 10 * time.Second

// site is a page on one origin and popupd on another, with a proxy before it that
// notes what arrives.
type site struct {
	*testing.T
	placement, uid string
	origin         string // of the page
	endpoint       string // of the proxy
	csp            string // Content-Security-Policy of the page
	head           string // HTML in the page's head
	attributes     string // of the script tag, beside uid and placement

	mu      sync.Mutex
	polls   []map[string]any
	actions []map[string]any
	tracked []map[string]any // events of users
	at      []time.Time      // of the polls
	events  chan struct{}    // something was noted
	refuse  int              // status instead of an answer to polls
	retry   string           // Retry-After of that
	body    string           // instead of that of the answers to polls
	lose    bool             // the answer of the next poll is lost
	down    bool             // actions reach nobody
}

// newSite makes popups, each given by its JSON without key and placement.
func newSite(t *testing.T, popups ...string) *site {
	t.Helper()
	t.Parallel()
	if missing != "" {
		t.Skip(missing)
	}
	s := &site{T: t, placement: strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())), uid: "u-" + t.Name(), events: make(chan struct{}, 1)}
	for i, text := range popups {
		s.put(i, text)
	}
	pages := httptest.NewServer(http.HandlerFunc(s.servePage))
	t.Cleanup(pages.Close)
	s.origin = strings.Replace(pages.URL, "127.0.0.1", "localhost", 1)
	target, err := url.Parse("http://" + server.Address)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // the page has gone
	proxy := httptest.NewServer(s.note(forward))
	t.Cleanup(proxy.Close)
	s.endpoint = proxy.URL
	return s
}

func (s *site) key(i int) string { return fmt.Sprintf("%s-%d", s.placement, i) }

// put makes or changes a popup.
func (s *site) put(i int, text string) {
	s.Helper()
	spec := fmt.Sprintf(`{"key":%q,"placements":[%q],"status":"active",%s}`, s.key(i), s.placement, text)
	s.admin("POST", "/v1/admin/popups", spec, http.StatusCreated)
}

// content returns a popup with this content.
func content(fields string) string {
	return `"variants":[{"key":"a","content":{` + fields + `}}]`
}

func (s *site) admin(method, path, body string, want int, header ...string) []byte {
	s.Helper()
	req, err := http.NewRequest(method, "http://"+server.Admin+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+server.Token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		s.Fatalf("%s %s: %d %s, %v", method, path, res.StatusCode, text, err)
	}
	return text
}

func (s *site) servePage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/mock.mjs" {
		w.Header().Set("Content-Type", "text/javascript")
		http.ServeFile(w, r, "../../sdk/popupd.mock.mjs")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if s.csp != "" {
		w.Header().Set("Content-Security-Policy", s.csp)
	}
	script := fmt.Sprintf(`<script async src="%s/sdk.js" data-uid="%s" data-placement="%s" %s></script>`, s.endpoint, s.uid, s.placement, s.attributes)
	if r.URL.Path == "/empty" {
		script = ""
	}
	fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><head><title>Shop</title>%s%s</head><body><main><h1>Shop</h1><button id="host">Buy</button><div id="slot"></div></main></body></html>`, s.head, script)
}

// note notes what arrives before it goes on to popupd.
func (s *site) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		if s.down && r.URL.Path == "/v1/actions" {
			s.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		poll := r.URL.Path == "/v1/poll" && r.Method == "POST"
		switch {
		case poll:
			var m map[string]any
			json.Unmarshal(body, &m)
			s.polls, s.at = append(s.polls, m), append(s.at, time.Now())
		case r.URL.Path == "/v1/actions" && r.Method == "POST":
			var m []map[string]any
			json.Unmarshal(body, &m)
			s.actions = append(s.actions, m...)
		case r.URL.Path == "/v1/events" && r.Method == "POST":
			var m map[string]any
			json.Unmarshal(body, &m)
			s.tracked = append(s.tracked, m)
		}
		refuse, text, lose := s.refuse, s.body, s.lose && poll
		s.lose = s.lose && !poll
		s.mu.Unlock()
		select {
		case s.events <- struct{}{}:
		default:
		}
		switch {
		case lose:
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case poll && (refuse != 0 || text != ""):
			w.Header().Set("Access-Control-Allow-Origin", "*")
			if s.retry != "" {
				w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
				w.Header().Set("Retry-After", s.retry)
			}
			w.WriteHeader(max(refuse, http.StatusOK))
			io.WriteString(w, text)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (s *site) seen() (polls []map[string]any, actions []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.actions {
		actions = append(actions, fmt.Sprint(a["action"]))
	}
	return slices.Clone(s.polls), actions
}

// until waits until what arrived is as wanted.
func (s *site) until(what string, done func(polls []map[string]any, actions []string) bool) {
	s.Helper()
	limit := time.After(patience)
	for {
		polls, actions := s.seen()
		if done(polls, actions) {
			return
		}
		select {
		case <-s.events:
		case <-limit:
			s.Fatalf("no %s: %d polls %v, actions %q", what, len(polls), polls, actions)
		}
	}
}

// reported waits until exactly these actions have arrived.
func (s *site) reported(want ...string) {
	s.Helper()
	s.until(fmt.Sprintf("actions %q", want), func(_ []map[string]any, actions []string) bool { return len(actions) >= len(want) })
	if _, got := s.seen(); !slices.Equal(got, want) {
		s.Fatalf("actions %q, want %q", got, want)
	}
}

func (s *site) polled(n int) {
	s.Helper()
	s.until(fmt.Sprintf("%d polls", n), func(polls []map[string]any, _ []string) bool { return len(polls) >= n })
	if polls, _ := s.seen(); len(polls) != n {
		s.Fatalf("%d polls, want %d", len(polls), n)
	}
}

// openRoots has shadow roots open, in window.roots, and notes what goes wrong.
const openRoots = `
	window.roots = []; window.violations = []; window.errors = []; window.failures = []; window.warnings = [];
	addEventListener("error", (event) => errors.push(String(event.message)));
	addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
	addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
	{ const warn = console.warn; console.warn = (...args) => { warnings.push(args.join(" ")); warn(...args); }; }
	{ const attach = Element.prototype.attachShadow;
	Element.prototype.attachShadow = function (options) {
		const root = attach.call(this, { ...options, mode: "open" });
		roots.push(root);
		return root;
	}; }`

type tab struct {
	*site
	ctx context.Context
}

// open opens a tab at a path of the page; scripts run before any of the page's own.
func (s *site) open(path string, scripts ...string) *tab {
	s.Helper()
	ctx, cancel := chromedp.NewContext(chrome)
	s.Cleanup(cancel)
	t := &tab{s, ctx}
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which lasts as long as this context
		s.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: openRoots + strings.Join(scripts, "\n")}); err != nil {
		s.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil { // as if each tab was the one in front
		s.Fatal(err)
	}
	t.run(chromedp.Navigate(s.origin + path))
	return t
}

// start opens a tab whose script makes window.client, with these options beside the usual ones.
func (s *site) start(options string, scripts ...string) *tab {
	s.Helper()
	t := s.open("/empty", scripts...)
	t.init(options)
	return t
}

func (t *tab) init(options string) {
	t.Helper()
	t.js(`import("` + t.endpoint + `/sdk.js").then(() => {
		window.client = popupd.init({endpoint: "` + t.endpoint + `", uid: "` + t.uid + `", placement: "` + t.placement + `", ` + options + `});
		client.on("error", ({error}) => failures.push(error.message));
	})`)
}

func (t *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, 2*patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// js returns what an expression evaluates to, as JSON.
func (t *tab) js(expression string) string {
	t.Helper()
	text, err := t.evaluate(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return text
}

func (t *tab) evaluate(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(t.ctx, 2*patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise))
	return string(text), err
}

// is fails the test unless an expression soon is true, of the next page if the tab leaves
// this one meanwhile.
func (t *tab) is(expression string) {
	t.Helper()
	look := `new Promise((resolve, reject) => {
		const end = Date.now() + 8000;
		const look = () => {
			let yes = false, why = "";
			try { yes = ` + expression + `; } catch (error) { why = error; }
			yes ? resolve(true) : Date.now() > end ? reject(new Error("not true: " + ` + "`" + strings.ReplaceAll(expression, "`", "'") + "`" + ` + why)) : setTimeout(look, 20);
		};
		look();
	})`
	_, err := t.evaluate(look)
	for left := 3; left > 0 && err != nil && strings.Contains(err.Error(), "navigated or closed"); left-- {
		_, err = t.evaluate(look)
	}
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
}

// click clicks a part of the popup shown last.
func (t *tab) click(selector string) {
	t.Helper()
	t.js(`roots.at(-1).querySelector(` + fmt.Sprintf("%q", selector) + `).click()`)
}
