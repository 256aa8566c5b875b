package handler

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

const day = 24 * time.Hour

// What popupd is for, rule by rule.

func TestNotClickedReturnsAfter24Hours(t *testing.T) {
	f := newServer(t, nil, "").start()
	f.sees("u", "p1")
	f.sees("u", "")
	f.clock.advance(day - time.Second)
	f.sees("u", "")
	f.clock.advance(time.Second)
	f.sees("u", "p1")
	events := f.journaled("u impression 1", "u impression 1")
	if e := events[1]; e.Nth != 2 || e.AtMS != startMS+day.Milliseconds() || e.ReadyAtMS != e.AtMS+day.Milliseconds() {
		t.Errorf("second impression: %+v", e)
	}
}

func TestClickedReturnsAfterClickCooldown(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_click_sec":259200,"after_dismiss_sec":60}`).start()
	shown := f.sees("u", "p1")
	f.clock.advance(time.Second)
	f.does("click", shown.Token)
	clicked := f.clock.now()
	f.clock.advance(time.Minute)
	f.does("click", shown.Token) // a repeat, which does not lengthen the wait
	f.does("dismiss", shown.Token)
	f.clock.ms.Store(clicked + (3 * day).Milliseconds() - 1000)
	f.sees("u", "") // the dismiss has not shortened what the click asked for
	f.clock.ms.Store(clicked + (3 * day).Milliseconds())
	f.sees("u", "p1")

	events := f.journaled("u impression 1", "u click 1", "u click 1", "u dismiss 1", "u impression 1")
	for i, click := range events[1:3] {
		late := clicked + (3 * day).Milliseconds() - click.ClickUntilMS // the repeat knows it in ticks of 100 ms
		if click.ServedAtMS != events[0].ServedAtMS || click.Nth != 1 || late < 0 || late > int64(99*i) {
			t.Errorf("click %d: %+v", i, click)
		}
	}
	f.counts(1, "popupd_actions_total", "action", "click", "result", "counted")
	f.counts(1, "popupd_actions_total", "action", "click", "result", "repeated")
	f.counts(1, "popupd_rejections_total", "reason", "cooldown_click")
}

func TestNothingLeftWaits(t *testing.T) {
	f := newServer(t, nil, "", "").start()
	f.sees("u", "p1")
	f.sees("u", "p2")
	r := f.do("GET", "/v1/poll?uid=u", "")
	if r.status != http.StatusNoContent || r.header.Get("Popup-Next-Poll") == "" || r.body != "" {
		t.Errorf("third poll: %+v", r)
	}
	f.sees("v", "p1") // another user has seen nothing
}

func TestDismissCooldown(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_dismiss_sec":7200}`).start()
	shown := f.sees("u", "p1")
	f.does("dismiss", shown.Token)
	f.sees("u", "")
	f.counts(1, "popupd_rejections_total", "reason", "cooldown_dismiss")
	f.clock.advance(2 * time.Hour)
	f.sees("u", "p1")
}

func TestConvertWaitsLikeClick(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_click_sec":-1}`).start()
	f.does("convert", f.sees("u", "p1").Token)
	f.clock.advance(5000 * day)
	f.sees("u", "")
}

func TestControlIsRecordedAndPassedOver(t *testing.T) {
	const control = `"priority":1,"variants":[{"key":"a","weight":0},{"key":"none","weight":1,"control":true}]`
	f := newServer(t, nil, "", control).start()
	f.sees("u", "p1")
	events, appends := f.events.take()
	if len(events) != 2 || appends != 1 {
		t.Fatalf("%d events in %d appends, want 2 in 1", len(events), appends)
	}
	if e := events[0]; e.Action != popup.Control || e.Popup != 2 || string(e.Variant) != "none" || e.ReadyAtMS != startMS+day.Milliseconds() {
		t.Errorf("first event: %+v, want the control", e)
	}
	f.sees("u", "") // both wait
	f.clock.advance(day)
	f.sees("u", "p1")
	f.journaled("u control 2", "u impression 1")
}

func TestControlAlone(t *testing.T) {
	f := newServer(t, nil, `"variants":[{"key":"none","control":true}]`).start()
	f.sees("u", "")
	f.journaled("u control 1")
	f.counts(1, "popupd_rejections_total", "reason", "control")
	f.sees("u", "")
	f.journaled()
	f.counts(1, "popupd_rejections_total", "reason", "cooldown_impression")
}

func TestTargeting(t *testing.T) {
	f := newServer(t, nil,
		`"placements":["home"],"targeting":{"all":[{"attr":"platform","op":"eq","value":"ios"},{"attr":"plan","op":"eq","value":"pro+"}]}`).start()
	f.sees("u", "")
	f.counts(1, "popupd_rejections_total", "reason", "placement")
	f.sees("u", "", "&placement=home&platform=ios&a.plan=pro+")
	f.counts(1, "popupd_rejections_total", "reason", "targeting")
	b := f.sees("u", "p1", "&placement=home&platform=ios&a.plan=pro%2B")
	if b.Popup.Placement != "home" {
		t.Errorf("placement = %q, want home", b.Popup.Placement)
	}
}

func TestClockGoesBack(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_impression_sec":3600}`).start()
	shown := f.sees("u", "p1")
	f.clock.advance(-30 * time.Minute)
	f.sees("u", "")
	f.does("click", shown.Token)
	events := f.journaled("u impression 1", "u click 1")
	if events[1].AtMS < events[0].AtMS {
		t.Errorf("click at %d, before the impression at %d", events[1].AtMS, events[0].AtMS)
	}
}

// An action is taken after its popup was paused or archived; what it waits for
// is gone with an archived popup.
func TestLateAction(t *testing.T) {
	f := newServer(t, nil, "", "").start()
	first, second := f.sees("u", "p1"), f.sees("u", "p2")
	load(t, f.store, 2, `"status":"paused"`, "archived")
	f.does("click", first.Token)
	f.does("click", second.Token)
	events := f.journaled("u impression 1", "u impression 2", "u click 1", "u click 2")
	if e := events[2]; e.ReadyAtMS != startMS+(30*day).Milliseconds() || e.Version != 1 {
		t.Errorf("click on the paused popup: %+v", e)
	}
	if e := events[3]; e.ReadyAtMS != startMS {
		t.Errorf("click on the archived popup: %+v", e)
	}
}

func TestTokenLife(t *testing.T) {
	f := newServer(t, nil, "").start()
	shown := f.sees("u", "p1")
	f.clock.advance(7 * day)
	f.does("dismiss", shown.Token)
	f.clock.advance(time.Millisecond)
	if r := f.act("click", shown.Token); r.status != http.StatusGone || r.code() != "token_expired" {
		t.Errorf("after 7 days and 1 ms: %d %s", r.status, r.body)
	}
}

// An action with a token of before its user's reset counts nothing.
func TestTokenOfBeforeReset(t *testing.T) {
	f := newServer(t, nil, "").start()
	shown := f.sees("u", "p1")
	f.clock.advance(time.Minute)
	f.config.Users.Merge(&popup.Event{AtMS: f.clock.now(), User: []byte("u"), Action: popup.Reset})
	if r := f.act("click", shown.Token); r.status != http.StatusGone || r.code() != "token_expired" {
		t.Errorf("after a reset: %d %s", r.status, r.body)
	}
	f.journaled("u impression 1")
	f.counts(1, "popupd_actions_total", "action", "click", "result", "expired")
	f.sees("u", "p1")
}

func TestOlderImpressionIsCounted(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_impression_sec":60}`).start()
	old := f.sees("u", "p1")
	f.clock.advance(time.Minute)
	f.sees("u", "p1")
	f.does("click", old.Token)
	e := f.journaled("u impression 1", "u impression 1", "u click 1")[2]
	if e.ServedAtMS != startMS || e.Nth != 0 {
		t.Errorf("click on the older impression: %+v, want served at %d, nth 0", e, startMS)
	}
	f.counts(1, "popupd_actions_total", "action", "click", "result", "counted")
	f.clock.advance(29 * day)
	f.sees("u", "") // its wait runs
}

// A server that does not know the impression counts the action: it was another
// server's.
func TestActionOfAnotherServer(t *testing.T) {
	a, b := newServer(t, nil, "").start(), newServer(t, nil, "").start()
	shown := a.sees("u", "p1")
	b.does("click", shown.Token)
	b.does("click", shown.Token)
	b.journaled("u click 1", "u click 1")
	b.counts(1, "popupd_actions_total", "action", "click", "result", "counted")
	b.sees("u", "")
}

// The clock of the server that issued the token was ahead.
func TestTokenFromTheFuture(t *testing.T) {
	a, b := newServer(t, nil, "").start(), newServer(t, nil, "").start()
	a.clock.advance(time.Minute)
	shown := a.sees("u", "p1")
	b.does("dismiss", shown.Token)
	e := b.journaled("u dismiss 1")[0]
	if e.AtMS != a.clock.now() || e.ServedAtMS != a.clock.now() {
		t.Errorf("dismiss at %d of %d, want %d for both", e.AtMS, e.ServedAtMS, a.clock.now())
	}
}

func TestTwoTabs(t *testing.T) {
	f := newServer(t, nil, "").start()
	for i := range 50 {
		user := fmt.Sprintf("u%d", i)
		var wg sync.WaitGroup
		statuses := make([]int, 4)
		for tab := range statuses {
			wg.Go(func() { statuses[tab] = f.do("GET", "/v1/poll?uid="+user, "").status })
		}
		wg.Wait()
		shown := 0
		for _, s := range statuses {
			if s == http.StatusOK {
				shown++
			}
		}
		if shown != 1 {
			t.Fatalf("%s polls in %d tabs at once: %v, want one 200", user, len(statuses), statuses)
		}
		f.journaled(user + " impression 1")
	}
}

func TestStateFull(t *testing.T) {
	f := newServer(t, func(c *Config) {
		c.Users = frequency.New(frequency.Config{MaxBytes: 1, Registerer: c.Registerer})
	}, "", "").start()
	f.sees("u", "")
	f.journaled()
	f.counts(1, "popupd_state_full_total") // the second popup was not tried
	f.counts(1, "popupd_rejections_total", "reason", "state_full")
	f.counts(1, "popupd_decisions_total", "outcome", "unrecorded")
	f.counts(0, "popupd_decisions_total", "outcome", "none")

	roomy := newServer(t, nil, "").start()
	shown := roomy.sees("u", "p1")
	if r := f.act("click", shown.Token); r.status != http.StatusServiceUnavailable || r.code() != "state_full" || r.header.Get("Retry-After") == "" {
		t.Errorf("click without memory: %+v", r)
	}
	f.journaled()
	f.counts(1, "popupd_actions_total", "action", "click", "result", "full")
}

func TestNextPoll(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_impression_sec":200}`).start()
	if b := f.sees("u", "p1"); b.NextPollSec < 60 || b.NextPollSec > 66 {
		t.Errorf("next poll after a popup in %d s, want 60 to 66", b.NextPollSec)
	}
	f.clock.advance(100 * time.Second)
	r := f.do("GET", "/v1/poll?uid=u", "")
	var sec int
	if _, err := fmt.Sscan(r.header.Get("Popup-Next-Poll"), &sec); err != nil || sec < 100 || sec > 110 {
		t.Errorf("next poll %q, want 100 to 110", r.header.Get("Popup-Next-Poll"))
	}
}

func TestNewIDsPerClient(t *testing.T) {
	f := newServer(t, func(c *Config) {
		c.NewIDsPerClient = 2
		c.Registerer = prometheus.NewRegistry()
	}, "", `"targeting":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}`).start()
	f.sees("u1", "p1")
	f.sees("u2", "p1")
	f.sees("u3", "")
	f.sees("u1", "p2", "&a.plan=pro") // known
	f.journaled("u1 impression 1", "u2 impression 1", "u1 impression 2")
	f.clock.advance(500 * time.Millisecond)
	f.sees("u3", "p1")
	f.sees("u4", "")
}
