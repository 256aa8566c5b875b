package browser

import (
	"bytes"
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

	"github.com/popupd/popupd/internal/testbed"
)

// patience is how long something that should happen may take.
const patience = 10 * time.Second

// site is a page on one origin and popupd on another, with a proxy before it that
// notes what arrives.
type site struct {
	*testing.T
	server         *testbed.Popupd
	firefox        *firefox // nil: Chromium
	placement, uid string
	origin         string                                                       // of the page
	endpoint       string                                                       // of the proxy
	csp            string                                                       // Content-Security-Policy of the page
	head           string                                                       // HTML in the page's head
	request        func(w http.ResponseWriter, r *http.Request) (answered bool) // sees what is asked of the page's origin; nil: nothing does
	attributes     string                                                       // of the script tag, beside uid and placement

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
	return newSiteOf(t, server, popups...)
}

// newSiteOf is newSite with a server of its own.
func newSiteOf(t *testing.T, server *testbed.Popupd, popups ...string) *site {
	t.Helper()
	s := &site{T: t, server: server, firefox: firefoxOf(t), placement: strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())), uid: "u-" + t.Name(), events: make(chan struct{}, 1)}
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
	req, err := http.NewRequest(method, "http://"+s.server.Admin+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.server.Token)
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
	if s.request != nil && s.request(w, r) {
		return
	}
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
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler) // in the body: before it browsers themselves ask again
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

// nextVisitor has later pages be those of another user.
func (s *site) nextVisitor() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uid += "x"
	s.actions = nil
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
