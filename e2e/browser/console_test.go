package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// namedToken makes a token of a role.
func (s *site) namedToken(role string) string {
	s.Helper()
	var made struct{ Token string }
	text := s.admin("POST", "/v1/admin/tokens", fmt.Sprintf(`{"name":%q,"role":%q}`, s.placement+"-"+role, role), http.StatusCreated)
	if err := json.Unmarshal(text, &made); err != nil || made.Token == "" {
		s.Fatalf("%s: %v", text, err)
	}
	return made.Token
}

// totals are the numbers of a popup.
func (s *site) totals(key string) (t struct{ Impressions, Clicks, Views int64 }) {
	s.Helper()
	answer := struct{ Totals any }{&t}
	if err := json.Unmarshal(s.admin("GET", "/v1/admin/popups/"+key+"/stats", "", http.StatusOK), &answer); err != nil {
		s.Fatal(err)
	}
	return t
}

// publish makes and publishes a popup in the form.
func (o operator) publish(key, title string) {
	o.Helper()
	o.open("/popups")
	o.button("New popup")
	o.is(`document.querySelector("main h1") && location.pathname === "/new"`)
	o.fill("Key", key)
	o.fill("Placements", o.placement)
	o.fill("Title", title)
	o.fill("Link", o.origin+"/empty")
	o.button("Publish")
	o.is(`location.pathname === "/popups/` + key + `"`)
	o.is(finding("button", "Pause"))
}

// reviewed goes on where the review of a change of what is live asks whether to.
func (o operator) reviewed() {
	o.Helper()
	o.is(`document.querySelector("dialog[open]")`)
	o.button("Publish")
	o.is(`!document.querySelector("dialog[open]")`)
}

// TestConsoleStory: an operator makes a popup in the form, a visitor who comes then sees it
// and clicks it, the operator's numbers rise, the visitor is left alone; then the operator
// pauses it, and nobody sees it.
func TestConsoleStory(t *testing.T) {
	s := newConsole(t)
	key := s.key(1)
	o := s.loggedIn(s.server.Token)
	o.publish(key, "Spring sale")
	published := time.Now()
	visitor := s.start(`placement: "` + s.placement + `"`)
	visitor.is(shown)
	t.Logf("shown %v after it was published, with the time to open a tab", time.Since(published).Round(time.Millisecond))
	s.reported("view")
	visitor.click(".cta")
	s.until("click", func(_ []map[string]any, actions []string) bool { return slices.Contains(actions, "click") })
	o.open("/popups/" + key + "/report")
	o.is(`/Clicked\s+1\b/.test(document.querySelector("main").innerText)`)
	if got := s.totals(key); got.Impressions != 1 || got.Clicks != 1 || got.Views != 1 {
		t.Errorf("%+v, want one of each", got)
	}
	if got := s.poll(s.uid); got != http.StatusNoContent {
		t.Errorf("the visitor's next poll: %d, want 204", got)
	}
	if got := s.poll("another"); got != http.StatusOK {
		t.Errorf("another visitor's poll: %d, want 200", got)
	}
	o.open("/popups/" + key)
	o.button("Pause")
	o.is(finding("button", "Resume"))
	if got := s.poll("a third"); got != http.StatusNoContent {
		t.Errorf("a poll while it is paused: %d, want 204", got)
	}
}

// poll returns the status of a user's poll.
func (s *site) poll(uid string) int {
	s.Helper()
	res, err := http.Get("http://" + s.server.Address + "/v1/poll?" + url.Values{"uid": {uid}, "placement": {s.placement}}.Encode())
	if err != nil {
		s.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// TestConsoleViewer: a viewer sees no button that changes anything, and what it sends
// all the same is refused.
func TestConsoleViewer(t *testing.T) {
	s := newConsole(t, content(`"title":"Sale"`))
	o := s.loggedIn(s.namedToken("viewer"))
	o.is(`find.all("button, a", "New popup").length === 0`)
	o.open("/popups/" + s.key(0))
	o.value("Title", "Sale")
	for _, name := range []string{"Save draft", "Publish", "Pause", "Resume", "Archive"} {
		o.is(`find.all("button", "` + name + `").length === 0`)
	}
	for _, request := range []string{`"POST", "popups/` + s.key(0) + `/pause"`, `"DELETE", "popups/` + s.key(0) + `"`, `"PUT", "settings"`, `"GET", "tokens"`} {
		if got := o.js(`((method, path) => fetch("/v1/admin/" + path, {method, headers: {"If-Match": "\"1\""}}).then((r) => r.status))(` + request + `)`); got != "403" {
			t.Errorf("%s: %s, want 403", request, got)
		}
	}
}

// maxFirstPage bounds what the first page loads, in bytes as they are sent.
const maxFirstPage = 150_000

// TestConsoleWeight: the first page loads little, from the console alone, and tells how soon
// it can be used.
func TestConsoleWeight(t *testing.T) {
	s := newConsole(t, content(`"title":"Sale"`))
	o := s.loggedIn(s.server.Token)
	o.js(`void (document.cookie = "popupd_lang=en; path=/")`)
	o.open("/popups")
	o.is(`document.querySelector("main table, main ul")`)
	var loaded struct {
		Bytes   int
		Ready   float64
		Strange []string
	}
	text := o.js(`({
		bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce((sum, e) => sum + e.encodedBodySize, 0),
		ready: performance.now(),
		strange: performance.getEntriesByType("resource").map((e) => e.name).filter((name) => !name.startsWith(location.origin)),
	})`)
	if err := json.Unmarshal([]byte(text), &loaded); err != nil {
		t.Fatal(err)
	}
	t.Logf("the list of popups: %d bytes, drawn after at most %.0f ms", loaded.Bytes, loaded.Ready)
	if loaded.Bytes == 0 || loaded.Bytes > maxFirstPage || len(loaded.Strange) > 0 {
		t.Errorf("%s, want %d bytes at most and nothing from elsewhere", text, maxFirstPage)
	}
}
