package browser

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// TestBackForwardCache: a page that is left takes its popup away, and one that comes back
// out of the cache asks again only when it is time.
func TestBackForwardCache(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/", `addEventListener("pageshow", (event) => window.restored = event.persisted);`)
	p.is(shown)
	s.reported("view")
	p.js(`window.mark = 1`)
	p.navigate(s.origin + "/empty")
	p.do(p.driver.back)
	p.is(`window.mark === 1 && restored`)
	p.is(`!` + shown)
	s.polled(1)
	p.js(`void history.pushState(null, "", "/other")`) // it lives
	s.polled(2)
}

// TestPrerender: a page that is prerendered does not poll before it is shown, and polls
// once then. Chromium prerenders nothing for a page that DevTools are attached to, so this
// one does everything on its own.
func TestPrerender(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	s.head = `<script>
		if (location.pathname === "/empty") {
			const rules = document.createElement("script");
			rules.type = "speculationrules";
			rules.textContent = JSON.stringify({prerender: [{source: "list", urls: ["/"], eagerness: "immediate"}]});
			document.head.append(rules);
			fetch("/wait").then(() => location.href = "/");
		} else {
			addEventListener("load", () => setTimeout(() => fetch("/loaded?" + document.prerendering), 300)); // by when it would have polled
			document.addEventListener("prerenderingchange", () => fetch("/activated"));
		}
	</script>`
	left, leave := context.WithCancel(t.Context())
	asked := make(chan string, 100)
	s.request = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/wait" {
			<-left.Done()
		}
		asked <- r.URL.RequestURI()
		return r.URL.Path != "/" && r.URL.Path != "/empty"
	}
	until := func(want string) {
		t.Helper()
		for limit := time.After(patience); ; {
			select {
			case got := <-asked:
				if got == want {
					return
				}
				if got == "/loaded?false" {
					t.Fatalf("not prerendered")
				}
			case <-limit:
				t.Fatalf("no request for %s", want)
			}
		}
	}
	tab, err := chromedp.Call(chrome, target.CreateTarget, target.CreateTargetParams{URL: s.origin + "/empty", NewWindow: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chromedp.Call(chrome, target.CloseTarget, target.CloseTargetParams(tab)) })
	until("/loaded?true")
	s.polled(0)
	leave()
	until("/activated")
	s.reported("view")
	s.polled(1)
}

// TestSleep: after nine hours in which a computer slept, a page polls once, takes away what
// is paused by now, and sends what it had kept.
func TestSleep(t *testing.T) {
	t.Parallel()
	for _, dismissed := range []bool{false, true} {
		t.Run(map[bool]string{false: "shown", true: "dismissed"}[dismissed], func(t *testing.T) {
			s := newSite(t, content(`"kind":"toast","title":"Sale"`))
			p := s.open("/", `window.asleep = 0; { const now = Date.now; Date.now = () => now() + asleep; }`)
			p.is(shown)
			s.reported("view")
			p.offline(true)
			if dismissed {
				p.click(".close")
				p.is(`!` + shown)
			}
			p.freeze(true)
			p.js(`asleep = 9 * 3600e3`)
			s.admin("POST", "/v1/admin/popups/"+s.key(0)+"/pause", "", 200, "If-Match", "*")
			p.freeze(false)
			s.polled(1)
			p.offline(false)
			p.is(`!` + shown)
			s.polled(2)
			p.js(`new Promise((resolve) => setTimeout(resolve, 2500))`) // more than the time between polls that anything may ask for
			s.polled(2)
			if want := []string{"view", "dismiss"}; dismissed {
				s.reported(want...)
				if age := s.actions[1]["age_ms"].(float64); age < 9*3600e3 {
					t.Errorf("age_ms %v, want 9 hours", age)
				}
			} else {
				s.reported(want[:1]...)
			}
		})
	}
}

// freeze stops the timers of a page, or has them go on.
func (t *tab) freeze(yes bool) {
	t.Helper()
	state := page.SetWebLifecycleStateStateActive
	if yes {
		state = page.SetWebLifecycleStateStateFrozen
	}
	if _, err := chromedp.Call(t.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state}); err != nil {
		t.Fatal(err)
	}
}

// TestFrame: only the top frame polls, and one that is told to.
func TestFrame(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/empty")
	const frame = `{ const frame = document.createElement("iframe"); frame.src = "/"; document.body.append(frame); }`
	p.js(frame)
	p.is(`!!document.querySelector("iframe").contentWindow.popupd?.version`)
	p.js(`new Promise((resolve) => setTimeout(resolve, 300))`)
	s.polled(0)
	s.attributes = `data-frame="true"`
	p.js(frame)
	s.polled(1)
}

// TestIdentify: after a log-in polls name the user, and who that was before; on later
// pages too.
func TestIdentify(t *testing.T) {
	s := newSite(t)
	p := s.start(`attributes: {plan: "free"}`)
	s.polled(1)
	p.is(answered)
	visitor := s.uid
	s.uid += "-known"
	p.js(`void client.identify("` + s.uid + `", {sig: "abc", attributes: {plan: "pro"}})`)
	s.polled(2)
	p.navigate(s.origin + "/empty")
	p.js(`localStorage.removeItem("popupd.next.` + s.placement + ` ` + s.endpoint + ` ` + s.uid + `")`)
	p.init("")
	s.polled(3)
	polls, _ := s.seen()
	for i, want := range [][2]any{{visitor, nil}, {s.uid, visitor}, {s.uid, visitor}} {
		if polls[i]["uid"] != want[0] || polls[i]["prior_uid"] != want[1] {
			t.Errorf("poll %d: uid %v, prior_uid %v, want %v", i, polls[i]["uid"], polls[i]["prior_uid"], want)
		}
	}
	if polls[1]["sig"] != "abc" || polls[1]["attributes"].(map[string]any)["plan"] != "pro" {
		t.Errorf("poll after the log-in: %v", polls[1])
	}
	p.js(`client.identify("` + s.uid + `", {sig: "def"}), client.identify("` + s.uid + `", {attributes: {plan: "max"}}), void client.refresh()`)
	s.polled(4)
	if polls, _ = s.seen(); polls[3]["sig"] != "def" || polls[3]["attributes"].(map[string]any)["plan"] != "max" {
		t.Errorf("poll after the same user's identify: %v", polls[3])
	}
}

// TestLogOut: a page without a user's id is not taken for the user whose id a page before had.
func TestLogOut(t *testing.T) {
	s := newSite(t)
	p := s.start("")
	s.polled(1)
	p.is(answered)
	p.navigate(s.origin + "/empty")
	p.init(`uid: ""`)
	s.polled(2)
	if polls, _ := s.seen(); polls[1]["uid"] == s.uid || polls[1]["uid"] == "" {
		t.Errorf("uid %q", polls[1]["uid"])
	}
}

// TestTrack: an event of the user arrives.
func TestTrack(t *testing.T) {
	s := newSite(t)
	p := s.start("")
	p.js(`void client.track("signup")`)
	s.until("event", func([]map[string]any, []string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.tracked) == 1 && s.tracked[0]["uid"] == s.uid && s.tracked[0]["event"] == "signup"
	})
}

// TestConvertLater: a conversion on a later page is reported on the popup shown last, once.
func TestConvertLater(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale","cta":"See"`))
	p := s.open("/")
	p.is(shown)
	s.reported("view")
	p.click(".cta")
	s.reported("view", "click")
	p.is(`localStorage["popupd.out.` + s.endpoint + `"] === "[]"`) // the answer was heard
	p.navigate(s.origin + "/empty")
	p.init("")
	p.js(`void (client.convert(), client.convert())`)
	s.reported("view", "click", "convert")
	if s.actions[2]["token"] != s.actions[0]["token"] {
		t.Errorf("converted %v, want %v", s.actions[2]["token"], s.actions[0]["token"])
	}
}
