package browser

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestContentSecurityPolicy: a strict policy with Trusted Types is not violated.
func TestContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"modal", "banner", "toast"} {
		t.Run(kind, func(t *testing.T) {
			s := newSite(t, content(`"kind":"`+kind+`","position":"top-start","title":"Sale","body":"a","image":{"src":"/image.png","width":40,"height":30},"link":"/sale"`))
			s.csp = fmt.Sprintf("default-src 'none'; img-src 'self'; script-src %s; connect-src %[1]s; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'", s.endpoint)
			p := s.open("/")
			p.is(shown)
			s.reported("view")
			p.click(".close")
			p.is(`!` + shown)
			s.reported("view", "dismiss")
			if got := p.js(`[...violations, ...errors]`); got != "[]" {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestHostilePage: what a page may have done to its own globals breaks nothing.
func TestHostilePage(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"storage throws":     `Object.defineProperty(window, "localStorage", {get() { throw new DOMException("no", "SecurityError"); }});`,
		"storage is full":    `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };`,
		"no locks":           `Object.defineProperty(Navigator.prototype, "locks", {value: undefined});`,
		"locks are refused":  `LockManager.prototype.request = () => Promise.reject(new DOMException("no", "SecurityError"));`,
		"no navigation API":  `Object.defineProperty(window, "navigation", {value: undefined});`,
		"polluted prototype": `Object.prototype.render = Object.prototype.remove = Object.prototype.link = () => { throw new Error("polluted"); };`,
		"frozen prototype":   `Object.freeze(Object.prototype);`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, content(`"kind":"toast","title":"Sale"`))
			p := s.open("/", script)
			p.is(shown)
			s.reported("view")
			p.click(".close")
			p.is(`!` + shown)
			s.reported("view", "dismiss")
			if got := p.js(`[...warnings, ...errors]`); got != "[]" {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestClockOfTheFuture: a time for the next poll that a wrong clock has left far ahead does not hold.
func TestClockOfTheFuture(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/empty")
	p.js(`localStorage["popupd.next.` + s.placement + ` ` + s.endpoint + ` ` + s.uid + `"] = JSON.stringify({at: Date.now() + 1e9, triggers: []})`)
	p.init("")
	p.is(shown)
}

// TestSlowPage: while the page is still being parsed nothing is asked, since there may be no
// place yet for what would be shown.
func TestSlowPage(t *testing.T) {
	s := newSite(t, content(`"kind":"inline","title":"Sale"`))
	s.attributes = `data-container="#late"`
	s.request = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/slow" {
			return false
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><title>Shop</title><script async src="%s/sdk.js" data-uid="%s" data-placement="%s" %s></script><body><p>Shop</p>`,
			s.endpoint, s.uid, s.placement, s.attributes)
		w.(http.Flusher).Flush()
		time.Sleep(700 * time.Millisecond)
		fmt.Fprint(w, `<div id="late"></div>`)
		return true
	}
	p := s.open("/slow")
	p.is(shown)
	s.reported("view")
	s.polled(1)
}

// TestDestroyWhileShowing: a page that ends the client as the first of two popups is shown
// gets no second one.
func TestDestroyWhileShowing(t *testing.T) {
	s := newSite(t, content(`"title":"Sale"`))
	s.body = `{"popups":[{"popup":{"key":"a","placement":"a","content":{"title":"A"}},"token":"a"},{"popup":{"key":"b","placement":"b","content":{"title":"B"}},"token":"b"}],"next_poll_sec":60}`
	p := s.start(`render(popup) { const e = document.createElement("i"); document.body.append(e); client.destroy(); return e }`)
	s.until("releases", func(_ []map[string]any, actions []string) bool { return len(actions) == 2 })
	p.is(`!document.querySelector("i")`)
}

// TestTwice: a page that has the script twice has one client.
func TestTwice(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	s.head = fmt.Sprintf(`<script async src="%s/sdk.js" data-uid="%s" data-placement="%s"></script>`, s.endpoint, s.uid, s.placement)
	p := s.open("/")
	p.is(shown)
	s.reported("view")
	s.polled(1)
	p.is(`roots.length === 1`)
}

// TestInitAgain: a client that is made, destroyed and made again, as React does in its
// strict mode, shows the popup once, although the first one's poll was under way.
func TestInitAgain(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/empty")
	p.js(`import("` + s.endpoint + `/sdk.js").then(() => {
		const options = {endpoint: "` + s.endpoint + `", uid: "` + s.uid + `", placement: "` + s.placement + `"};
		const first = popupd.init(options);
		first.destroy();
		const second = popupd.init(options);
		return new Promise((resolve) => setTimeout(resolve, 5)).then(() => { second.destroy(); popupd.init(options); });
	})`)
	p.is(shown)
	s.reported("view")
	p.is(`roots.length === 1`)
}
