//go:build linux

package e2e

import (
	"bufio"
	"encoding/base64"
	encoding "encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// outcome is what a client knows of an attempt.
type outcome string

const (
	acked        outcome = "ok"      // 200 with a popup, or 202: it must be committed
	nothingShown outcome = "none"    // 204: there was nothing to count
	refused      outcome = "fail"    // any other answer: it must never be committed
	unknown      outcome = "unknown" // no answer: it may be committed, once
)

// attempt is one request that may make events.
type attempt struct {
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took_ns"`
	User    string        `json:"user"`
	Action  string        `json:"action"` // poll, click, dismiss or convert
	Outcome outcome       `json:"outcome"`
	Popup   uint32        `json:"popup,omitempty"`     // of an ok poll and of actions
	Served  int64         `json:"served_ms,omitempty"` // the same
	Detail  string        `json:"detail,omitempty"`
}

func (a *attempt) end() time.Time { return a.At.Add(a.Took) }

// history is every attempt of a load, in the order of their answers, and what
// its users remember.
type history struct {
	popups popupSpecs
	users  [clients][]*loadUser // each belongs to the client of its number while that runs

	mu         sync.Mutex
	attempts   []attempt
	violations []string // answers that should not have been
}

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

// since returns the attempts from number n on.
func (h *history) since(n int) []attempt {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.attempts[n:len(h.attempts):len(h.attempts)]
}

func (h *history) len() int { return len(h.since(0)) }

// numbers counts attempts by outcome.
func countOutcomes(attempts []attempt) map[outcome]int {
	n := make(map[outcome]int)
	for i := range attempts {
		n[attempts[i].Outcome]++
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
	control                                   bool // half of the users are in a control group
}

type popupSpecs []popupSpec

// create makes the popups.
func (o popupSpecs) create(s *server) {
	s.t.Helper()
	for _, p := range o {
		variants := `{"key":"a","content":{}}`
		if p.control {
			variants += `,{"key":"c","control":true,"content":{}}`
		}
		body := fmt.Sprintf(`{"key":%q,"status":"active","priority":%d,"variants":[%s],"frequency":{"after_impression_sec":%d,"after_click_sec":%d,"after_dismiss_sec":%d,"max_impressions":%d}}`,
			p.key, p.priority, variants, int(p.afterImpression.Seconds()), int(p.afterClick.Seconds()), int(p.afterDismiss.Seconds()), p.maxImpressions)
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
	seen           map[string]*seenPopup // by popup key
	unansweredPoll time.Time             // of its last poll without an answer, which may have shown anything
}

// seenPopup is what a user has seen of one popup. The times are the earliest that
// can be: a request is taken to have been decided when it was sent.
type seenPopup struct {
	popup   uint32
	token   string
	served  int64
	at      time.Time            // when the poll that showed it was sent
	shown   int                  // times
	actions map[string]time.Time // of this impression: the first try
	ready   time.Time            // not before this it may return
	until   time.Time            // nor before this: it was clicked
}

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
	ready := s.ready
	if s.until.After(ready) {
		ready = s.until
	}
	if early := ready.Sub(a.end()); early > resolution {
		h.report("%s was shown %s again %v too early: at %v, answered %v; before that at %v", u.name, p.Popup.Key, early,
			a.At.Format(time.StampMilli), a.end().Format(time.StampMilli), s.at.Format(time.StampMilli))
	}
	s.popup, s.token, s.served, s.at = p.Popup.ID, p.Token, a.Served, a.At
	s.actions = make(map[string]time.Time)
	s.ready = a.At.Add(o.afterImpression)
	if s.shown++; o.maxImpressions > 0 && s.shown > o.maxImpressions {
		h.report("%s was shown %s %d times, at most %d are allowed", u.name, p.Popup.Key, s.shown, o.maxImpressions)
	}
}

// recordAction records an action of the user on the popup's latest impression.
func (h *history) recordAction(u *loadUser, key string, a *attempt) {
	s, wait := u.seen[key], h.popups.find(key).wait(a.Action)
	first, again := s.actions[a.Action]
	if !again {
		first = a.At
	}
	lowered := first.Add(wait)
	switch {
	case a.Outcome == refused:
		return
	case a.Outcome == acked && !u.unansweredPoll.After(s.at) && !again: // it counts, and from now
		s.ready = lowered
	case lowered.Before(s.ready): // it may have counted
		s.ready = lowered
	}
	s.actions[a.Action] = first
	if a.Outcome == acked && !u.unansweredPoll.After(s.at) && a.Action != "dismiss" && lowered.After(s.until) {
		s.until = lowered
	}
}
