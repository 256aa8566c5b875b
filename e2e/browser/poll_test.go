package browser

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestLostAnswer: a poll whose answer was lost is repeated with the same rid, and the
// popup that was served is shown.
func TestLostAnswer(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	s.lose = true
	p := s.open("/")
	p.is(shown)
	polls, _ := s.seen()
	if len(polls) != 2 || polls[0]["rid"] != polls[1]["rid"] {
		t.Errorf("polls %v", polls)
	}
}

// TestNextPoll: another page view before the time that the server named does not poll.
func TestNextPoll(t *testing.T) {
	s := newSite(t)
	p := s.open("/")
	s.polled(1)
	p.is(answered)
	for range 3 {
		p.run(chromedp.Navigate(s.origin + "/other"))
		p.is(`!!window.popupd?.version`)
	}
	s.open("/")
	p.js(`new Promise((resolve) => setTimeout(resolve, 500))`)
	s.polled(1)
}

// TestTwoTabs: two tabs of one user poll once, and one shows the popup.
func TestTwoTabs(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	visible := `Object.defineProperty(document, "visibilityState", {get: () => "visible"});`
	one, two := s.open("/", visible), s.open("/", visible)
	s.until("poll", func(polls []map[string]any, _ []string) bool { return len(polls) > 0 })
	two.js(`new Promise((resolve) => setTimeout(resolve, 500))`)
	if got := one.js(`roots.length`) + two.js(`roots.length`); got != "10" && got != "01" {
		t.Errorf("roots in the tabs: %s", got)
	}
	s.polled(1)
}

// TestHidden: a page that is hidden for half an hour does not poll.
func TestHidden(t *testing.T) {
	s := newSite(t)
	hide := `{ let state = "visible"; Object.defineProperty(document, "visibilityState", {get: () => state});
		window.visible = (yes) => { state = yes ? "visible" : "hidden"; document.dispatchEvent(new Event("visibilitychange")); }; }`
	p := s.open("/", hide)
	p.is(answered)
	p.js(`void visible(false)`)
	done := make(chan struct{}, 1)
	if err := chromedp.Listen(p.ctx, func(event any) {
		if _, ok := event.(*emulation.EventVirtualTimeBudgetExpired); ok {
			done <- struct{}{}
		}
	}); err != nil {
		t.Fatal(err)
	}
	pass := func(minutes float64) {
		t.Helper()
		budget := minutes * 60 * 1000
		if _, err := chromedp.Call(p.ctx, emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: emulation.VirtualTimePolicyAdvance, Budget: &budget}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
		case <-time.After(2 * patience):
			t.Fatal("virtual time stands still")
		}
	}
	pass(30)
	s.polled(1)
	p.js(`void visible(true)`)
	pass(1)
	s.until("poll", func(polls []map[string]any, _ []string) bool { return len(polls) > 1 })
}

// answered: the answer to the last poll is known, and when to poll again.
const answered = `Object.entries(localStorage).some(([key, plan]) => key.startsWith("popupd.next.") && !plan.includes("rid"))`

// TestRoute: a popup goes when the page has another path, and the new path is asked for.
func TestRoute(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/")
	p.is(shown)
	s.reported("view")
	p.js(`void history.pushState(null, "", "/basket")`)
	p.is(`!` + shown)
	s.polled(2)
	if polls, _ := s.seen(); polls[0]["path"] != "/" || polls[1]["path"] != "/basket" {
		t.Errorf("paths %v, %v", polls[0]["path"], polls[1]["path"])
	}
	s.reported("view")
}

// TestTriggers: what popups wait for is asked for when it happens, once.
func TestTriggers(t *testing.T) {
	for name, c := range map[string]struct{ trigger, raise string }{
		"event":  {"event:cart", `client.trigger("cart")`},
		"scroll": {"scroll:50", `document.body.style.height = "5000px", scrollTo(0, 4000)`},
		"exit":   {"exit", `document.dispatchEvent(new MouseEvent("mouseout", {clientY: -1}))`},
		"delay":  {"delay:1", `0`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, `"trigger":"`+c.trigger+`",`+content(`"kind":"toast","title":"Sale"`))
			p := s.start("")
			p.is(`Object.entries(localStorage).some(([key, plan]) => key.startsWith("popupd.next.") && plan.includes("` + c.trigger + `"))`)
			p.js(`void (` + c.raise + `)`)
			p.is(shown)
			s.polled(2)
			if polls, _ := s.seen(); polls[0]["trigger"] != "load" || polls[1]["trigger"] != c.trigger {
				t.Errorf("triggers %v, %v", polls[0]["trigger"], polls[1]["trigger"])
			}
		})
	}
}

// TestWithdraw: a popup that is paused while it is on screen goes.
func TestWithdraw(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.start("")
	p.is(shown)
	s.admin("POST", "/v1/admin/popups/"+s.key(0)+"/pause", "", 200, "If-Match", "*")
	p.js(`client.refresh()`)
	p.is(`!` + shown)
}
