package frequency

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// heldEvent is something that happened to a user somewhere, as the table heard it.
type heldEvent struct {
	popup.Event
	user      string
	epoch     uint32 // in which its number was noted
	isNoted   bool
	committed bool
}

// heldWorld is a table of held users, with a store and the events of all servers. all is told
// everything, and forgets nothing.
type heldWorld struct {
	table, all *Table
	events     []*heldEvent
	store      map[string]map[uint32]popup.State
	current    uint32
	untold     bool // that the last epoch has ended
	nowMS      int64
	underWay   []heldLookUp
}

// heldLookUp is a look-up whose rows have been read.
type heldLookUp struct {
	user string
	rows map[uint32]popup.State
	era  uint32
	aged bool // an epoch has ended since
}

func (w *heldWorld) happens(user string, id uint32, a popup.Action) {
	w.nowMS += 100
	e := &heldEvent{user: user, Event: popup.Event{
		AtMS: w.nowMS, ServedAtMS: w.nowMS, User: []byte(user), Popup: id, Action: a, Nth: 1, ReadyAtMS: w.nowMS + 10*day,
	}}
	w.table.Merge(&e.Event)
	w.all.Merge(&e.Event)
	w.events = append(w.events, e)
}

// note notes the numbers of what was merged.
func (w *heldWorld) note() {
	for _, e := range w.events {
		if !e.isNoted {
			e.isNoted, e.epoch = true, w.current
		}
	}
}

// endEpoch has all that was merged before the last epoch noted, as it is in time. What is
// committed is told later, but before the next epoch ends.
func (w *heldWorld) endEpoch(late bool) {
	if w.untold {
		w.tellCommitted()
	}
	if !late {
		w.note()
	}
	w.table.NextEpoch()
	w.current++
	w.note()
	for i := 0; i < len(w.underWay); i++ {
		if w.underWay[i].aged {
			w.underWay = append(w.underWay[:i], w.underWay[i+1:]...)
			i--
			continue
		}
		w.underWay[i].aged = true
	}
	w.untold = true
}

func (w *heldWorld) tellCommitted() {
	if w.current == 0 {
		return
	}
	w.untold = false
	var open []Epochs
	for epoch := range w.current {
		for _, e := range w.events {
			if e.epoch == epoch && e.isNoted && !e.committed {
				open = append(open, Epochs{epoch, epoch})
				break
			}
		}
	}
	w.table.SetUncommitted(w.current-1, open)
}

func (w *heldWorld) commit(e *heldEvent) {
	if e.committed {
		return
	}
	e.committed = true
	if w.store[e.user] == nil {
		w.store[e.user] = map[uint32]popup.State{}
	}
	s := w.store[e.user][e.Popup]
	s.Merge(e.State())
	w.store[e.user][e.Popup] = s
}

func (w *heldWorld) begin(user string) {
	w.table.LookingUp([]byte(user))
	l := heldLookUp{user: user, rows: map[uint32]popup.State{}, era: w.table.Era()}
	for id, s := range w.store[user] {
		l.rows[id] = s
	}
	w.underWay = append(w.underWay, l)
}

func (w *heldWorld) end(l heldLookUp) {
	for id, s := range l.rows {
		w.table.LookedUp([]byte(l.user), id, s)
	}
	w.table.Hold([]byte(l.user), l.era)
}

// check fails unless all is known of those who are held.
func (w *heldWorld) check(t *rapid.T, users int) (held int) {
	for n := range users {
		user := []byte(fmt.Sprint("u", n))
		if !w.table.isHeldNow(user) {
			continue
		}
		held++
		known, want := map[uint32]popup.State{}, map[uint32]popup.State{}
		w.table.States(user, func(id uint32, s popup.State) { known[id] = s })
		w.all.States(user, func(id uint32, s popup.State) { want[id] = s })
		if d := cmp.Diff(want, known); d != "" {
			t.Fatalf("%s is held, and not all is known (-want +known):\n%s", user, d)
		}
	}
	if n := w.table.HeldUsers(); n != held {
		t.Fatalf("%d users are held, it says %d", held, n)
	}
	return held
}

// isHeldNow is Holds, and no poll.
func (t *Table) isHeldNow(user []byte) bool {
	u := t.Lock(user)
	defer u.Unlock()
	s := &t.holds[t.shardOf(u.hash)]
	i, hi := s.run(keyOf(u.hash))
	return i < hi && t.isHeld(&s.slots[i])
}

// TestHeldUsersAreKnown: whatever is heard, committed, looked up and forgotten, and in
// whatever order, all is known of who is held.
func TestHeldUsersAreKnown(t *testing.T) {
	const users = 6
	dir := t.TempDir()
	held, forgotten := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		bits := uint8(rapid.IntRange(0, 2).Draw(t, "shard bits"))
		w := &heldWorld{
			table: newTable(Config{HeldOnly: true}, bits), all: newTable(Config{}, bits),
			store: map[string]map[uint32]popup.State{}, nowMS: noon,
		}
		user := func(t *rapid.T) string { return fmt.Sprint("u", rapid.IntRange(0, users-1).Draw(t, "user")) }
		t.Repeat(map[string]func(*rapid.T){
			"happens": func(t *rapid.T) {
				w.happens(user(t), rapid.Uint32Range(1, 3).Draw(t, "popup"), rapid.SampledFrom([]popup.Action{popup.Impression, popup.Click}).Draw(t, "action"))
			},
			"note": func(*rapid.T) { w.note() },
			"commit": func(t *rapid.T) {
				if len(w.events) > 0 {
					w.commit(rapid.SampledFrom(w.events).Draw(t, "event"))
				}
			},
			"commit all": func(*rapid.T) {
				for _, e := range w.events {
					w.commit(e)
				}
			},
			"look up": func(t *rapid.T) {
				w.begin(user(t))
				w.end(w.underWay[len(w.underWay)-1])
				w.underWay = w.underWay[:len(w.underWay)-1]
			},
			"begin": func(t *rapid.T) { w.begin(user(t)) },
			"end": func(t *rapid.T) {
				if n := len(w.underWay); n > 0 {
					i := rapid.IntRange(0, n-1).Draw(t, "which")
					l := w.underWay[i]
					w.underWay = append(w.underWay[:i], w.underWay[i+1:]...)
					w.end(l)
				}
			},
			"poll":      func(t *rapid.T) { w.table.Holds([]byte(user(t)), nil) },
			"committed": func(*rapid.T) { w.tellCommitted() },
			"end epoch": func(t *rapid.T) { w.endEpoch(rapid.Bool().Draw(t, "before all is noted")) },
			"idle":      func(*rapid.T) { w.idle() },
			"unhold":    func(*rapid.T) { w.table.Unhold() },
			"dump": func(t *rapid.T) {
				path := filepath.Join(dir, "state")
				if err := w.table.Dump(path, nil, nil); err != nil {
					t.Fatal(err)
				}
				w.underWay = nil // of the process before
				w.table = newTable(Config{HeldOnly: true}, bits)
				w.current, w.untold = 0, false
				for _, e := range w.events {
					e.isNoted, e.epoch = true, 0 // the journal and others' lists say so
					if !e.committed {
						w.table.Merge(&e.Event)
					}
				}
				if _, _, err := w.table.Load(path); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				before := w.remembered(users)
				for range 20 {
					w.table.Sweep(w.nowMS)
				}
				forgotten += before - w.remembered(users)
				held += w.check(t, users)
			},
		})
	})
	if held == 0 || forgotten == 0 {
		t.Errorf("%d users were held, %d forgotten; want some", held, forgotten)
	}
}

// idle lets so many epochs pass that whoever has not polled may be forgotten.
func (w *heldWorld) idle() {
	for range idleEpochs + 2 {
		w.endEpoch(false)
	}
	w.tellCommitted()
}

func (w *heldWorld) remembered(users int) (n int) {
	for i := range users {
		u := w.table.Lock([]byte(fmt.Sprint("u", i)))
		if u.Known() {
			n++
		}
		u.Unlock()
	}
	return n
}

// TestHeldWithoutMemory: who is looked up leaves memory for what happens elsewhere, and whoever
// there is none for is not held.
func TestHeldWithoutMemory(t *testing.T) {
	table := newTable(Config{HeldOnly: true, MaxBytes: 4 << 20}, 8)
	table.KeepImpressions(hourly.keep)
	table.Sweep(noon)
	shown := popup.State{Impressions: 1, ServedAtMS: noon, ShownAtMS: noon, AtMS: noon, Last: popup.Impression, NextAtMS: noon + day}
	name := func(n int) []byte { return fmt.Append(nil, "u", n) }
	held := 0
	for full := 0; full < 100; held++ {
		user, era := name(held), table.Era()
		fits := table.LookingUp(user)
		for id := range uint32(3) {
			fits = fits && table.LookedUp(user, 1+id, shown)
			for at := range int64(4) {
				fits = fits && table.LookedUpImpression(user, 1+id, noon-at*1000, 0)
			}
		}
		if !fits || !table.Hold(user, era) {
			full++
		}
	}
	if table.Refused() == 0 || table.Lost() != 0 || table.bytes.Load() > table.forNew() {
		t.Errorf("%d were refused, %d lost, it has %d bytes; want some, none, at most %d", table.Refused(), table.Lost(), table.bytes.Load(), table.forNew())
	}
	taken, lost := 0, 0
	for i := 0; lost < 100; i++ {
		user := name(i % held)
		ev := popup.Event{AtMS: noon, ServedAtMS: noon, User: user, Popup: uint32(4 + i/held), Action: popup.Impression, Nth: 1, ReadyAtMS: noon + day}
		was, before := table.Holds(user, nil), table.Lost()
		table.Merge(&ev)
		switch isHeld := table.Holds(user, nil); {
		case table.Lost() == before && was == isHeld:
			taken++
		case table.Lost() > before && !isHeld:
			lost++
		default:
			t.Fatalf("%s: %d states were lost, held before %v, after %v", user, table.Lost()-before, was, isHeld)
		}
	}
	if taken < held/16 {
		t.Errorf("%d events were taken, of %d users who are held", taken, held)
	}
	n := 0
	for i := range held {
		if table.Holds(name(i), nil) {
			n++
		}
	}
	if table.HeldUsers() != n {
		t.Errorf("%d users are held, it says %d", n, table.HeldUsers())
	}
}

// TestNobodyIsHeldAfterALoss: while something that happened is neither in the table nor committed
// the store cannot say all of anybody.
func TestNobodyIsHeldAfterALoss(t *testing.T) {
	table := newTable(Config{HeldOnly: true, MaxBytes: 1 << 20}, 2)
	table.Sweep(noon)
	hold := func() bool {
		era := table.Era()
		return table.LookingUp([]byte("u")) && table.Hold([]byte("u"), era)
	}
	if !hold() {
		t.Fatal("not held at first")
	}
	for n := 0; table.Lost() == 0; n++ {
		user := fmt.Append(nil, "other", n)
		table.Merge(&popup.Event{AtMS: noon, ServedAtMS: noon, User: user, Popup: 1, Action: popup.Impression, Nth: 1, ReadyAtMS: noon + day})
	}
	lost := table.NextEpoch()
	table.SetUncommitted(lost, []Epochs{{lost, lost}})
	for _, open := range [][]Epochs{{{lost, lost}}, {{lost, lost + 1}}, {{lost + 1, lost + 1}}} {
		if hold() || table.Hold([]byte("u"), table.Era()) {
			t.Errorf("held before what was lost is committed")
		}
		table.SetUncommitted(table.NextEpoch(), open)
	}
	table.SetUncommitted(table.NextEpoch(), nil)
	if !hold() {
		t.Error("not held although all is committed")
	}
	table.Unhold()
	table.Merge(&popup.Event{AtMS: noon, ServedAtMS: noon, User: []byte("u"), Popup: math.MaxUint32 - 1, Action: popup.Impression, Nth: 1, ReadyAtMS: noon + day})
	lost = table.NextEpoch()
	for range lossEpochs {
		table.SetUncommitted(lost, []Epochs{{lost, lost}})
		if hold() {
			t.Fatal("held within an hour of what is not committed")
		}
		table.NextEpoch()
	}
	if !hold() {
		t.Error("not held although what was lost is never committed")
	}
}

// TestEmptyUsersLeave: of whom nothing is remembered leaves at once while memory is short, and
// else some minutes after the last poll.
func TestEmptyUsersLeave(t *testing.T) {
	table := newTable(Config{HeldOnly: true}, 0)
	table.Sweep(noon)
	table.LookingUp([]byte("u"))
	table.Hold([]byte("u"), table.Era())
	leaves := func(short bool) bool {
		u := table.Lock([]byte("u"))
		defer u.Unlock()
		i, _ := table.holds[0].run(keyOf(u.hash))
		return table.leaves(0, i, short)
	}
	for range 2 {
		if leaves(true) {
			t.Fatal("what was looked up may not be merged yet")
		}
		table.SetUncommitted(table.NextEpoch(), nil)
	}
	if !leaves(true) || leaves(false) {
		t.Errorf("a user without entries leaves: %v while memory is short, %v else; want only the first", leaves(true), leaves(false))
	}
	for range emptyEpochs {
		table.SetUncommitted(table.NextEpoch(), nil)
	}
	if !leaves(false) {
		t.Error("a user without entries stays")
	}
}
