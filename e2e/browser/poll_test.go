package browser

import (
	"strconv"
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

// TestLostTrigger: the answer to a trigger is lost, and asked for again with the same rid.
func TestLostTrigger(t *testing.T) {
	s := newSite(t, `"trigger":"event:cart",`+content(`"kind":"toast","title":"Sale"`))
	p := s.start("")
	p.is(answered)
	s.mu.Lock()
	s.lose = true
	s.mu.Unlock()
	p.js(`void client.trigger("cart")`)
	p.is(shown)
	polls, _ := s.seen()
	if len(polls) != 3 || polls[1]["rid"] != polls[2]["rid"] || polls[2]["trigger"] != "event:cart" {
		t.Errorf("polls %v", polls)
	}
}

// TestFreePlacements: while a popup is on screen the polls are for the other placements, and
// forget no trigger of its own; a trigger asks for all of them.
func TestFreePlacements(t *testing.T) {
	s := newSite(t, content(`"kind":"banner","title":"Sale"`), `"trigger":"event:cart",`+content(`"kind":"toast","title":"Cart"`))
	p := s.start(`placement: ["other", "` + s.placement + `"]`)
	p.is(shown)
	p.is(answered)
	p.js(`void client.refresh()`)
	s.polled(2)
	p.is(answered)
	p.js(`void client.trigger("cart")`)
	p.is(shown + ` && roots.at(-1).textContent.includes("Cart")`)
	polls, _ := s.seen()
	for i, want := range []int{2, 1, 2} {
		if got := len(polls[i]["placements"].([]any)); got != want {
			t.Errorf("poll %d asks for %d placements, want %d", i, got, want)
		}
	}
}

// TestOtherPlacements: the time of the next poll is that of the placements which were asked
// for: a page with others asks at once.
func TestOtherPlacements(t *testing.T) {
	s := newSite(t)
	p := s.start("")
	p.is(answered)
	p.navigate(s.origin + "/empty")
	p.init(`placement: "other"`)
	s.polled(2)
}

// TestNextPoll: another page view before the time that the server named does not poll.
func TestNextPoll(t *testing.T) {
	s := newSite(t)
	p := s.open("/")
	s.polled(1)
	p.is(answered)
	for range 3 {
		p.navigate(s.origin + "/other")
		p.is(`!!window.popupd?.version`)
	}
	s.open("/")
	p.js(`new Promise((resolve) => setTimeout(resolve, 500))`)
	s.polled(1)
}

// TestTwoTabs: two tabs of one user poll once, and one shows the popup.
func TestTwoTabs(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	visible := `Object.defineProperty(document, "hidden", {get: () => false});`
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
	hide := `{ let hidden = false; Object.defineProperty(document, "hidden", {get: () => hidden});
		window.visible = (yes) => { hidden = !yes; document.dispatchEvent(new Event("visibilitychange")); }; }`
	p := s.open("/", hide)
	p.is(answered)
	p.js(`void visible(false)`)
	p.pass(30)
	s.polled(1)
	p.js(`void visible(true)`)
	p.pass(1)
	s.until("poll", func(polls []map[string]any, _ []string) bool { return len(polls) > 1 })
}

// pass lets minutes of virtual time pass in a tab; none passes while it waits for an answer.
func (t *tab) pass(minutes float64) {
	t.Helper()
	done := make(chan struct{}, 1)
	if err := chromedp.Listen(t.ctx, func(event any) {
		if _, ok := event.(*emulation.EventVirtualTimeBudgetExpired); ok {
			select {
			case done <- struct{}{}:
			default:
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	budget := minutes * 60 * 1000
	if _, err := chromedp.Call(t.ctx, emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{Policy: emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, Budget: &budget}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(6 * patience):
		t.Fatal("virtual time stands still")
	}
}

// TestWrites: a client writes to localStorage less than once a second, also where a
// lease in it has to choose the tab that polls.
func TestWrites(t *testing.T) {
	s := newSite(t)
	p := s.open("/", `Object.defineProperty(Navigator.prototype, "locks", {value: undefined});
		window.writes = 0; { const { setItem, removeItem } = Storage.prototype;
		Storage.prototype.setItem = function (...args) { writes++; setItem.apply(this, args); };
		Storage.prototype.removeItem = function (...args) { writes++; removeItem.apply(this, args); }; }`)
	p.is(answered)
	p.js(`writes = 0`)
	p.pass(3)
	if got, err := strconv.Atoi(p.js(`writes`)); err != nil || got == 0 || got > 3*60 {
		t.Errorf("%d writes in three minutes, want up to 180 (%v)", got, err)
	}
}

// TestRetryAfter: the time that a server names is waited for, and one that is no number
// is no reason to ask at once.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for retry, least := range map[string]int{"120": 115_000, "Wed, 21 Oct 2026 07:28:00 GMT": 100} {
		t.Run(retry[:3], func(t *testing.T) {
			s := newSite(t)
			s.refuse, s.retry = 503, retry
			p := s.open("/", `Math.random = () => 0.9;`)
			p.is(`(window.wait = Object.entries(localStorage).filter(([key]) => key.startsWith("popupd.next.")).map(([key, plan]) => JSON.parse(plan).at - Date.now())[0]) > 0`)
			if got, err := strconv.ParseFloat(p.js(`wait`), 64); err != nil || got < float64(least) || got > 130_000 {
				t.Errorf("waits for %v ms, want %d or more (%v)", got, least, err)
			}
		})
	}
}

// TestBackoff: what fails is repeated after pauses that grow, in silence, and a 4xx is
// not repeated.
func TestBackoff(t *testing.T) {
	s := newSite(t)
	s.refuse = 500
	p := s.open("/", `Math.random = () => 0.15;`) // 300, 600, 1200 ms
	s.until("4 polls", func(polls []map[string]any, _ []string) bool { return len(polls) >= 4 })
	s.mu.Lock()
	first, third := s.at[1].Sub(s.at[0]), s.at[3].Sub(s.at[2])
	s.refuse = 404
	s.mu.Unlock()
	if first < 200*time.Millisecond || third < 1100*time.Millisecond {
		t.Errorf("pauses of %v and later %v, want 300 ms and 1200 ms", first, third)
	}
	if got := p.js(`warnings`); got != "[]" {
		t.Errorf("told %s", got)
	}
	p.is(`warnings.length === 1 && warnings[0].includes("404")`)
	p.js(`new Promise((resolve) => setTimeout(resolve, 1000))`)
	s.polled(5)
}

// TestBlocked: an ad blocker that cuts the endpoint off is told to listeners only.
func TestBlocked(t *testing.T) {
	s := newSite(t)
	p := s.start(`fetch: () => Promise.reject(new TypeError("blocked"))`)
	p.is(`failures[0] === "blocked"`)
	if got := p.js(`[...warnings, ...errors]`); got != "[]" {
		t.Errorf("%s", got)
	}
}

// TestRouteDuringPoll: what was asked for on another path is not shown but released, and
// the new path is asked for.
func TestRouteDuringPoll(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.start(`fetch: (...args) => fetch(...args).then((answer) => { args[0].includes("/v1/poll") && history.pushState(null, "", "/other"); return answer; })`)
	s.until("release", func(polls []map[string]any, actions []string) bool {
		return len(polls) == 2 && len(actions) > 0 && actions[0] == "release"
	})
	p.is(shown)
	if polls, _ := s.seen(); polls[0]["path"] != "/empty" || polls[1]["path"] != "/other" {
		t.Errorf("paths %v, %v", polls[0]["path"], polls[1]["path"])
	}
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
	t.Parallel()
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
