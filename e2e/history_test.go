//go:build linux

package e2e

import (
	"bufio"
	"encoding/base64"
	encoding "encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// outcome is what a client knows of an attempt.
type outcome string

const (
	acked        outcome = "ok"      // 200 with a popup, or 202: it must be committed
	nothingShown outcome = "none"    // 204: there was nothing to count
	void         outcome = "void"    // 410: a reset came first; it must never be committed
	refused      outcome = "fail"    // any other answer: it must never be committed
	unknown      outcome = "unknown" // no answer: it may be committed, once
)

// attempt is one request that may make events.
type attempt struct {
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took_ns"`
	User    string        `json:"user"`
	Action  string        `json:"action"` // poll, reset, goal, or what actions are called
	Outcome outcome       `json:"outcome"`
	Popup   uint32        `json:"popup,omitempty"`     // of an ok poll and of actions
	Served  int64         `json:"served_ms,omitempty"` // the same
	Age     time.Duration `json:"age_ns,omitempty"`    // of an action: how long before At it happened
	Detail  string        `json:"detail,omitempty"`
}

func (a *attempt) end() time.Time { return a.At.Add(a.Took) }

// history is every attempt of a load, in the order of their answers, and what
// its users remember.
type history struct {
	popups popupSpecs
	caps   capSpecs
	users  [clients][]*loadUser // each belongs to the client of its number while that runs

	mu         sync.Mutex
	attempts   []attempt
	violations []string // answers that should not have been
	releases   releases
	reached    int // times that a user was shown the last popup that a cap allows
}

// releases counts those after which the popup could be shown again at once, as far as
// the client knows, and whether it was.
type releases struct{ could, did int }

func newHistory(o popupSpecs) *history { return &history{popups: o} }

func (h *history) add(a attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attempts = append(h.attempts, a)
}

func (h *history) report(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.violations = append(h.violations, fmt.Sprintf(format, args...))
}

// released notes that a popup was released, and whether it was shown again.
func (h *history) released(again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.releases.could++
	if again {
		h.releases.did++
	}
}

// capReached notes that a user was shown the last popup that a cap allows.
func (h *history) capReached() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reached++
}

// wrong returns what users say that should not have been.
func (h *history) wrong() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.violations)
	if h.releases.could >= 20 && h.releases.did == 0 { // one or another poll may not be recorded
		all = append(all, fmt.Sprintf("of %d popups that were released none was shown again", h.releases.could))
	}
	if len(h.caps) > 0 && len(h.attempts) >= 5000 && h.reached == 0 {
		all = append(all, fmt.Sprintf("in %d requests nobody has reached a cap", len(h.attempts)))
	}
	return all
}

// since returns the attempts from number n on.
func (h *history) since(n int) []attempt {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.attempts[n:len(h.attempts):len(h.attempts)]
}

func (h *history) len() int { return len(h.since(0)) }

// countOutcomes counts attempts by outcome, but for resets: the control plane may need
// a store that the data plane does without.
func countOutcomes(attempts []attempt) map[outcome]int {
	n := make(map[outcome]int)
	for i := range attempts {
		if attempts[i].Action != "reset" {
			n[attempts[i].Outcome]++
		}
	}
	return n
}

// write keeps the history in a file, an attempt per line, and returns its path.
func (h *history) write() (string, error) {
	f, err := os.CreateTemp("", "popupd-history-*.jsonl")
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	for _, a := range h.since(0) {
		if err := lines.Encode(a); err != nil {
			return "", err
		}
	}
	return f.Name(), w.Flush()
}

// servedAt reads when a popup was served, in ms, from its token: with the user
// and the popup that names the impression.
func servedAt(token string) (int64, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "v1."))
	if err != nil || len(b) < 12 {
		return 0, fmt.Errorf("unreadable token %q: %v", token, err)
	}
	return int64(encoding.BigEndian.Uint64(b[4:])), nil
}

// popupSpec is a popup that the load is shown, and its rules.
type popupSpec struct {
	key                                       string
	priority                                  int
	afterImpression, afterClick, afterDismiss time.Duration // whole seconds
	maxImpressions                            int
	control                                   bool          // half of the users are in a control group
	confirm                                   time.Duration // the time to confirm it; 0: serving is showing
}

// placements are where each popup of a load may be shown.
var placements = []string{"default", "side"}

type popupSpecs []popupSpec

// loadGoal is the goal of all popups of a load.
const loadGoal = "bought"

// create makes the popups.
func (o popupSpecs) create(s *server) {
	s.t.Helper()
	for _, p := range o {
		variants := `{"key":"a","content":{}}`
		if p.control {
			variants += `,{"key":"c","control":true,"content":{}}`
		}
		body := fmt.Sprintf(`{"key":%q,"status":"active","priority":%d,"variants":[%s],"tags":[%q],"placements":["default","side"],"goal":{"event":%q},"frequency":{"after_impression_sec":%d,"after_click_sec":%d,"after_dismiss_sec":%d,"max_impressions":%d,"confirm_sec":%d}}`,
			p.key, p.priority, variants, p.key, loadGoal, int(p.afterImpression.Seconds()), int(p.afterClick.Seconds()), int(p.afterDismiss.Seconds()), p.maxImpressions, int(p.confirm.Seconds()))
		if status := s.admin("POST", "/v1/admin/popups", body, "", nil); status != 201 {
			s.t.Fatalf("create %s: %d", p.key, status)
		}
	}
}

func (o popupSpecs) find(key string) *popupSpec {
	for i := range o {
		if o[i].key == key {
			return &o[i]
		}
	}
	return nil
}

// wait returns how long the popup stays away after an action, convert as click.
func (o *popupSpec) wait(action string) time.Duration {
	switch action {
	case "poll":
		return o.afterImpression
	case "dismiss":
		return o.afterDismiss
	}
	return o.afterClick
}

// resolution is how much earlier than asked for a popup may return: waits
// resolve to 100 ms.
const resolution = 100 * time.Millisecond

// loadUser is a user of the load, with what it remembers.
type loadUser struct {
	name           string
	seen           map[string]*seenPopup // by popup key, since the last reset
	impressions    []*loadImpression     // since then, by when they were served
	void           []loadImpression      // of before it, a few
	unansweredPoll time.Time             // of its last poll without an answer, which may have shown anything
	retired        bool                  // whether it was reset is not known
}

func newLoadUser(name string) *loadUser {
	return &loadUser{name: name, seen: make(map[string]*seenPopup)}
}

// loadImpression is one time that a user was shown a popup. The times are the earliest that
// can be: a request is taken to have been decided when it was sent.
type loadImpression struct {
	popup  uint32
	key    string // of the popup
	token  string
	served int64                // ms
	at     time.Time            // when the poll that showed it was sent
	tried  map[string]time.Time // by action: the earliest that it may have been taken for
	counts bool                 // towards max_impressions and caps, as far as is known
}

// seenPopup is what a user has seen of one popup.
type seenPopup struct {
	latest *loadImpression
	older  []*loadImpression
	shown  int       // times that count: confirmed, if need be, and not released
	ready  time.Time // not before this it may return: the wait of the latest impression, until it is acted on
	until  time.Time // nor before this: the longest wait that actions asked for
}

// returns is when the popup may return.
func (s *seenPopup) returns() time.Time {
	if s.until.After(s.ready) {
		return s.until
	}
	return s.ready
}

// olderKept is how many impressions before the latest a user may still act on.
const olderKept = 3

// recordShown checks and records that a popup was served.
func (h *history) recordShown(u *loadUser, p *pollAnswer, a *attempt) {
	o := h.popups.find(p.Popup.Key)
	if o == nil {
		h.report("%s was shown %q, which nobody made", u.name, p.Popup.Key)
		return
	}
	s := u.seen[p.Popup.Key]
	if s == nil {
		s = new(seenPopup)
		u.seen[p.Popup.Key] = s
	}
	if s.latest != nil {
		if early := s.returns().Sub(a.end()); early > resolution {
			h.report("%s was shown %s again %v too early: at %v, answered %v; before that at %v", u.name, p.Popup.Key, early,
				a.At.Format(time.StampMilli), a.end().Format(time.StampMilli), s.latest.at.Format(time.StampMilli))
		}
		s.older = append(s.older, s.latest)
		s.older = s.older[max(0, len(s.older)-olderKept):]
	}
	s.latest = &loadImpression{popup: p.Popup.ID, key: o.key, token: p.Token, served: a.Served, at: a.At, tried: make(map[string]time.Time)}
	h.checkCaps(u, s.latest)
	s.ready = a.At.Add(o.afterImpression)
	if o.maxImpressions > 0 && s.shown >= o.maxImpressions {
		h.report("%s was shown %s %d times, at most %d are allowed", u.name, p.Popup.Key, s.shown+1, o.maxImpressions)
	}
	if o.confirm > 0 {
		s.ready = a.At.Add(o.confirm)
	} else {
		s.latest.counts = true
		s.shown++
	}
}

// recordConfirmed records that an action may have confirmed the latest impression of a popup.
func (h *history) recordConfirmed(s *seenPopup, o *popupSpec, a *attempt) {
	on := s.latest
	if _, released := on.tried["release"]; released || o.confirm == 0 || a.Outcome != acked {
		return
	}
	if !on.counts {
		on.counts = true
		s.shown++
	}
	_, clicked := on.tried["click"]
	_, dismissed := on.tried["dismiss"]
	_, converted := on.tried["convert"]
	if clicked || dismissed || converted { // the wait is that of the action
		return
	}
	if ready := on.tried[a.Action].Add(o.afterImpression); ready.After(s.ready) {
		s.ready = ready
	}
}

// recordAction records an action of the user on an impression of a popup.
func (h *history) recordAction(u *loadUser, key string, on *loadImpression, a *attempt) {
	if a.Outcome != acked && a.Outcome != unknown {
		return
	}
	s := u.seen[key]
	o := h.popups.find(key)
	since := a.At.Add(-a.Age)
	if since.Before(on.at) {
		since = on.at
	}
	if first, again := on.tried[a.Action]; !again || since.Before(first) {
		on.tried[a.Action] = since
	}
	if a.Action != "release" && on == s.latest {
		h.recordConfirmed(s, o, a)
	}
	switch a.Action {
	case "view":
		return
	case "release":
		if on.counts {
			on.counts = false
			s.shown--
		}
		if on == s.latest {
			s.ready = time.Time{}
		}
		return
	}
	asked := on.tried[a.Action].Add(o.wait(a.Action))
	if a.Outcome == acked && asked.After(s.until) {
		s.until = asked
	}
	switch {
	case on != s.latest:
	case a.Outcome == acked:
		s.ready = time.Time{} // what actions ask for is in until
	case asked.Before(s.ready): // it may have been taken
		s.ready = asked
	}
}

// recordReset forgets what the user has seen: whatever is done with it is void.
func (h *history) recordReset(u *loadUser, a *attempt) {
	switch a.Outcome {
	case unknown:
		u.retired = true
	case acked:
		for _, s := range u.seen {
			u.void = append(u.void, *s.latest)
		}
		u.void = u.void[max(0, len(u.void)-4):]
		clear(u.seen)
		u.impressions = nil
	}
}
