//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const clients = 4

// load is a number of clients that poll and act, each request of which goes
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

// loadClient is one client, which plays one user after the other.
type loadClient struct {
	*load
	number int
	rand   *rand.Rand
}

func (v *loadClient) run(ctx context.Context) {
	people := &v.history.users[v.number]
	pause := time.NewTicker(8 * time.Millisecond)
	defer pause.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-pause.C
		u := &loadUser{name: fmt.Sprintf("%s-%d-%d", v.name, v.number, n), seen: make(map[string]*seenPopup)}
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
// what was, now or before: once, or again and again.
func (v *loadClient) runUser(u *loadUser) {
	for range 5 {
		if !v.poll(u) {
			break
		}
	}
	for _, o := range v.history.popups {
		if u.seen[o.key] == nil {
			continue
		}
		for _, action := range []string{"click", "dismiss", "convert"} {
			for chance := 4; v.rand.IntN(chance) == 0; chance = 3 {
				v.act(u, o.key, action)
			}
		}
	}
}

// poll polls once and reports whether something was shown.
func (v *loadClient) poll(u *loadUser) bool {
	a := attempt{At: time.Now(), User: u.name, Action: "poll", Outcome: nothingShown}
	p, err := v.server.ask(u.name)
	a.Took = time.Since(a.At)
	switch {
	case err != nil:
		a.Outcome, a.Detail = outcomeOf(err), err.Error()
		if a.Outcome == unknown {
			u.unansweredPoll = a.At
		}
	case p != nil:
		a.Outcome, a.Popup = acked, p.Popup.ID
		if a.Served, err = servedAt(p.Token); err != nil {
			v.history.report("%v", err)
		}
		v.history.recordShown(u, p, &a)
	}
	v.history.add(a)
	return a.Outcome == acked
}

// outcomeOf says what a request that failed tells of its outcome.
func outcomeOf(err error) outcome {
	if _, answered := errors.AsType[*statusError](err); answered {
		return refused
	}
	return unknown
}

// act reports an action on what a user was shown last of a popup.
func (v *loadClient) act(u *loadUser, key, action string) outcome {
	s := u.seen[key]
	a := attempt{At: time.Now(), User: u.name, Action: action, Outcome: acked, Popup: s.popup, Served: s.served}
	status, err := v.server.act(s.token, action)
	a.Took = time.Since(a.At)
	switch {
	case err != nil:
		a.Outcome, a.Detail = unknown, err.Error()
	case status != http.StatusAccepted:
		a.Outcome, a.Detail = refused, http.StatusText(status)
		if status < 500 {
			v.history.report("%s: %s of %s answered %d", u.name, action, key, status)
		}
	}
	v.history.recordAction(u, key, &a)
	v.history.add(a)
	return a.Outcome
}
