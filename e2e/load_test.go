//go:build linux

package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

const clients = 4

// load is a number of clients that poll, act and forget, each request of which goes
// into a history.
type load struct {
	server  *server
	history *history
	name    string // begins the ids of its users
	begun   int    // attempts in the history before it
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// startLoad starts the clients. The ids of their users begin with name, which is
// unique in the history; users of loads before come back now and then.
func startLoad(s *server, h *history, name string, seed uint64) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{server: s, history: h, name: name, begun: h.len(), cancel: cancel}
	for n := range clients {
		c := &loadClient{load: l, number: n, rand: rand.New(rand.NewPCG(seed, uint64(n)))}
		l.wg.Go(func() { c.run(ctx) })
	}
	s.t.Cleanup(l.stop)
	return l
}

// stop ends the clients and waits for them.
func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
	client.CloseIdleConnections()
}

// waitAcked waits until the server has acknowledged n requests of the load or more.
func (l *load) waitAcked(n int) {
	l.server.t.Helper()
	eventually(l.server.t, 30*time.Second, func() error {
		if got := countOutcomes(l.history.since(l.begun))[acked]; got < n {
			return fmt.Errorf("%d requests of %s are acknowledged, want %d", got, l.name, n)
		}
		return nil
	})
}

// check stops the load, waits until everything acknowledged is in the database,
// and fails the test if any of it is missing or anything is there twice.
func (l *load) check(t *testing.T, db *sql.DB) {
	t.Helper()
	l.stop()
	for _, w := range l.history.wrong() {
		t.Error(w)
	}
	var v *findings
	eventually(t, 60*time.Second, func() error {
		var err error
		if v, err = l.history.compare(db); err != nil {
			return err
		}
		if err := v.err(0); err != nil {
			return err
		}
		if err := l.history.compareStatistics(db, 0); err != nil {
			return err
		}
		return checkInvariants(db)
	})
	t.Logf("answers: %v; %v", countOutcomes(l.history.since(0)), v)
	if v.acked == 0 {
		t.Error("the load did nothing")
	}
}

// failures counts the attempts that were not answered, or refused.
func (l *load) failures() int {
	n := countOutcomes(l.history.since(0))
	return n[unknown] + n[refused]
}

// loadClient is one client, which plays one user after the other.
type loadClient struct {
	*load
	number     int
	rand       *rand.Rand
	resetAfter time.Time // no user is reset before
}

func (v *loadClient) run(ctx context.Context) {
	people := &v.history.users[v.number]
	pause := time.NewTicker(8 * time.Millisecond)
	defer pause.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-pause.C
		u := newLoadUser(fmt.Sprintf("%s-%d-%d", v.name, v.number, n))
		*people = append(*people, u)
		v.runUser(u)
		if v.rand.IntN(2) == 0 { // one of the last, whose cooldowns are under way
			recent := (*people)[max(0, len(*people)-100):]
			v.runUser(recent[v.rand.IntN(len(recent))])
		}
		if v.rand.IntN(4) == 0 {
			v.runUser((*people)[v.rand.IntN(len(*people))])
		}
	}
}

// runUser plays a user who polls until nothing more is shown, and acts on some of
// what was, now or before: once, or again and again. Some are then forgotten, others
// say that they did not see what they were shown.
func (v *loadClient) runUser(u *loadUser) {
	if u.retired {
		return
	}
	v.pollAll(u)
	for _, o := range v.history.popups {
		s := u.seen[o.key]
		if s == nil {
			continue
		}
		on := s.latest
		if len(s.older) > 0 && v.rand.IntN(4) == 0 {
			on = s.older[v.rand.IntN(len(s.older))]
		}
		for _, action := range []string{"view", "click", "dismiss", "convert"} {
			for chance := 4; v.rand.IntN(chance) == 0; chance = 3 {
				v.actAgo(u, o.key, on, action, v.someAge(on))
			}
		}
		if v.rand.IntN(8) == 0 {
			v.release(u, o.key)
		}
	}
	for chance := 6; v.rand.IntN(chance) == 0; chance = 2 {
		v.reachGoal(u)
	}
	if v.rand.IntN(30) == 0 {
		v.reset(u)
	}
	for i := range u.void {
		if v.rand.IntN(4) == 0 {
			v.act(u, "", &u.void[i], "click")
		}
	}
}

// outcomeOf says what a request that failed tells of its outcome.
func outcomeOf(err error) outcome {
	if _, answered := errors.AsType[*statusError](err); answered {
		return refused
	}
	return unknown
}

// act reports an action on an impression of a popup, which has no key if a reset has
// made it void.
func (v *loadClient) act(u *loadUser, key string, on *loadImpression, action string) outcome {
	return v.actAgo(u, key, on, action, 0)
}

// someAge says how long ago an action on an impression happened: mostly now, else at any
// time since, or so long ago that it was not there yet.
func (v *loadClient) someAge(on *loadImpression) time.Duration {
	if v.rand.IntN(4) > 0 {
		return 0
	}
	return time.Duration(v.rand.Int64N(int64(2*time.Since(on.at)) + 1)).Truncate(time.Millisecond)
}

// actAgo is act for what happened a while ago.
func (v *loadClient) actAgo(u *loadUser, key string, on *loadImpression, action string, age time.Duration) outcome {
	a := attempt{At: time.Now(), User: u.name, Action: action, Outcome: acked, Popup: on.popup, Served: on.served, Age: age}
	status, err := v.server.actAgo(on.token, action, age)
	a.Took = time.Since(a.At)
	switch {
	case err != nil:
		a.Outcome, a.Detail = unknown, err.Error()
	case status == http.StatusGone && key == "":
		a.Outcome = void
	case status != http.StatusAccepted:
		a.Outcome, a.Detail = refused, http.StatusText(status)
		if status < 500 {
			v.history.report("%s: %s of %q answered %d", u.name, action, key, status)
		}
	case key == "":
		v.history.report("%s: %s of what was shown before a reset is accepted", u.name, action)
	}
	if key != "" {
		v.history.recordAction(u, key, on, &a)
	}
	v.history.add(a)
	return a.Outcome
}

// reachGoal reports the goal of all popups of the load.
func (v *loadClient) reachGoal(u *loadUser) {
	a := attempt{At: time.Now(), User: u.name, Action: "goal", Outcome: acked}
	status, err := report(v.server.dataURL, fmt.Sprintf(`{"uid":%q,"event":%q}`, u.name, loadGoal))
	a.Took = time.Since(a.At)
	if err != nil {
		a.Outcome, a.Detail = outcomeOf(err), err.Error()
	}
	if a.Outcome == refused && status < 500 {
		v.history.report("%s: a goal is answered %d", u.name, status)
	}
	v.history.add(a)
}

// releasable is how long after an impression a client still releases it, well below
// what the server allows.
const releasable = 5 * time.Minute

// release says of the latest impression of a popup that it was not seen. It should be
// shown again then, unless it waits for another reason or cannot be recorded.
func (v *loadClient) release(u *loadUser, key string) {
	s := u.seen[key]
	on := s.latest
	if time.Since(on.at) > releasable || v.act(u, key, on, "release") != acked {
		return
	}
	free := !s.returns().After(time.Now()) && !u.unansweredPoll.After(on.at)
	v.pollAll(u)
	if free {
		v.history.released(s.latest != on)
	}
}

// reset forgets a user. Where the control plane cannot, for want of its database, the
// client leaves it alone for a while.
func (v *loadClient) reset(u *loadUser) {
	if time.Now().Before(v.resetAfter) {
		return
	}
	a := attempt{At: time.Now(), User: u.name, Action: "reset", Outcome: acked}
	status, err := v.server.forget(u.name)
	a.Took = time.Since(a.At)
	switch {
	case err != nil:
		a.Outcome, a.Detail = unknown, err.Error()
	case status != http.StatusAccepted:
		a.Outcome, a.Detail = refused, http.StatusText(status)
	}
	if a.Outcome != acked {
		v.resetAfter = time.Now().Add(5 * time.Second)
	}
	v.history.recordReset(u, &a)
	v.history.add(a)
}
