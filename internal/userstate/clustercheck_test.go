package userstate

import (
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

// pendingResets are the users of resets that the database does not have: it still holds
// what the server under test may have dropped.
func (c *cluster) pendingResets() map[string]bool {
	c.Helper()
	users := map[string]bool{}
	for _, s := range slices.Concat(c.streams, c.own) {
		for _, e := range s.events {
			if e.Action != popup.Reset {
				continue
			}
			if c.count("SELECT COUNT(*) FROM erasure WHERE user_id = ? AND at_ms = ?", e.User, e.AtMS) == 0 {
				users[string(e.User)] = true
			}
		}
	}
	return users
}

// check fails unless the server under test knows all that it has heard, and all that one does
// which reads the whole database.
func (c *cluster) check(what string) {
	c.Helper()
	if c.heldOnly {
		c.lookUp(40)
	}
	pending := c.pendingResets()
	seen, states := c.seen(), c.states()
	for _, s := range slices.Concat(c.streams, c.own) {
		for i := range s.events {
			if s.heard[i] && i >= s.lost {
				c.state.Merge(&s.events[i])
			}
		}
	}
	for user, after := range c.seen() {
		if d := cmp.Diff(seen[user], after); d != "" && !pending[user] {
			c.Fatalf("%s: impressions of %s end to count (-known +heard):\n%s", what, user, d)
		}
	}
	for user, after := range c.states() {
		var but cmp.Options
		if c.wereReset[user] { // the database counts impressions itself then
			but = append(but, cmpopts.IgnoreFields(popup.State{}, "Impressions"))
		}
		if d := cmp.Diff(states[user], after, but); d != "" && !pending[user] {
			c.Fatalf("%s: %s (-known +heard):\n%s", what, user, d)
		}
	}
	if err := c.db.RestoreImpressions(c.Context(), &persist.Found{Full: "to compare"}, 0, func(user []byte, id uint32, servedAtMS int64, acted uint8) {
		c.state.table.RestoreImpression(user, id, servedAtMS, acted)
	}); err != nil {
		c.Fatal(err)
	}
	for user, after := range c.seen() {
		if d := cmp.Diff(seen[user], after); d != "" && !pending[user] {
			c.Fatalf("%s: impressions of %s end to count (-known +in the database):\n%s", what, user, d)
		}
	}
	full := c.server(false)
	full.Connect(openJournal(c, c.TempDir()), nil)
	if _, err := full.mergeStates(c.Context()); err != nil {
		c.Fatal(err)
	}
	states = c.states()
	for user := range states {
		full.table.States([]byte(user), func(id uint32, s popup.State) { c.state.table.Restore([]byte(user), id, s) })
	}
	for user, after := range c.states() {
		if d := cmp.Diff(states[user], after); d != "" && !pending[user] {
			c.Fatalf("%s: %s (-known +in the database):\n%s", what, user, d)
		}
	}
}

// lookUp has the server under test hold some users, or all 40.
func (c *cluster) lookUp(users int) {
	c.Helper()
	var unheld [][]byte
	for n := range users {
		if users < 40 {
			n = c.r.IntN(40)
		}
		if user := []byte(fmt.Sprint("u", n)); !c.state.table.Holds(user, nil) {
			unheld = append(unheld, user)
		}
	}
	c.lookedUp += len(unheld)
	if err := c.state.hold(c.Context(), unheld, map[string]bool{}); err != nil {
		c.Fatal(err)
	}
	for _, user := range unheld {
		if !c.state.table.Holds(user, nil) {
			c.Fatalf("%s was looked up, and is not held", user)
		}
	}
}

// lookUpOrForget has the server under test hold somebody, or forget those who may be.
func (c *cluster) lookUpOrForget() {
	c.Helper()
	switch c.r.IntN(4) {
	case 0:
		c.lookUp(1)
	case 1:
		users := c.remembered()
		if c.r.IntN(4) == 0 {
			for _, s := range slices.Concat(c.streams, c.own) {
				c.commit(s, len(s.events))
			}
		}
		for range []int{1, 2, 3, 40, 200}[c.r.IntN(5)] { // those who are held leave after a while
			c.state.endEpoch(c.Context(), &c.epochs)
		}
		for range 100 { // a sweep looks at a piece of the table
			c.state.table.Sweep(c.now)
		}
		c.forgotten += users - c.remembered()
	}
}

// remembered returns of how many users the server under test knows anything.
func (c *cluster) remembered() (n int) {
	for i := range 40 {
		u := c.state.table.Lock([]byte(fmt.Sprint("u", i)))
		if u.Known() {
			n++
		}
		u.Unlock()
	}
	return n
}

// states returns what the server under test knows of each user, by popup.
func (c *cluster) states() map[string]map[uint32]popup.State {
	states := map[string]map[uint32]popup.State{}
	for n := range 40 {
		user := fmt.Sprint("u", n)
		states[user] = map[uint32]popup.State{}
		c.state.table.States([]byte(user), func(id uint32, s popup.State) {
			if c.rebuilt[user] { // the database may have kept more of before the reset, no less
				s.Impressions, s.ClickUntilMS, s.NextAtMS = 0, 0, 0
			}
			states[user][id] = s
		})
	}
	return states
}

// seen returns when the newest impressions of each user end to count for caps.
func (c *cluster) seen() map[string][]int64 {
	seen := map[string][]int64{}
	for n := range 40 {
		id := fmt.Sprint("u", n)
		var full frequency.FullCaps
		user := c.state.table.Lock([]byte(id))
		for i := range c.popups.Caps() {
			var v frequency.Verdict
			if user.CheckCaps(&v, 1<<i, &full, c.popups, c.now); v.Reason == popup.CapFull {
				seen[id] = append(seen[id], v.ReadyAtMS)
			}
		}
		user.Unlock()
	}
	return seen
}
