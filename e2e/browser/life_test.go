package browser

import (
	"testing"

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
	p.run(chromedp.Navigate(s.origin + "/empty"))
	p.js(`void history.back()`)
	p.is(`window.mark === 1 && restored`)
	p.is(`!` + shown)
	s.polled(1)
	p.js(`void history.pushState(null, "", "/other")`) // it lives
	s.polled(2)
}

// TestPrerender: a page that is prerendered does not poll before it is shown. Chromium
// prerenders nothing while it is headless, so that the document only says so.
func TestPrerender(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/", `{ let early = true; Object.defineProperty(document, "prerendering", {get: () => early});
		window.activate = () => { early = false; document.dispatchEvent(new Event("prerenderingchange")); }; }`)
	p.is(`!!window.popupd?.version`)
	p.js(`new Promise((resolve) => setTimeout(resolve, 300))`)
	s.polled(0)
	p.js(`activate()`)
	p.is(shown)
	s.polled(1)
}

// TestFrame: only the top frame polls.
func TestFrame(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/empty")
	p.js(`{ const frame = document.createElement("iframe"); frame.src = "/"; document.body.append(frame); }`)
	p.is(`!!document.querySelector("iframe").contentWindow.popupd?.version`)
	p.js(`new Promise((resolve) => setTimeout(resolve, 300))`)
	s.polled(0)
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
	p.run(chromedp.Navigate(s.origin + "/empty"))
	p.js(`localStorage.removeItem("popupd.next." + "` + s.endpoint + ` ` + s.uid + `")`)
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
	p.run(chromedp.Navigate(s.origin + "/empty"))
	p.init("")
	p.js(`void (client.convert(), client.convert())`)
	s.reported("view", "click", "convert")
	if s.actions[2]["token"] != s.actions[0]["token"] {
		t.Errorf("converted %v, want %v", s.actions[2]["token"], s.actions[0]["token"])
	}
}
