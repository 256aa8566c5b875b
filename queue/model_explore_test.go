package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// breakages emits everything that can go wrong in w, once each.
func (w world) breakages(v variant, b bounds, emit emit) {
	if w.faults == b.faults {
		return
	}
	w.faults++
	if w.list[0] != none {
		n := w
		n.list = [modelQueue]element{}
		emit("REDIS EMPTIED", n, "")
	}
	for i := range int(w.length()) {
		n := w
		copy(n.list[i:], append(slices.Clone(w.list[i+1:]), none))
		emit("ELEMENT LOST", n, "")
		n = w
		n.list[i] = damaged
		emit("ELEMENT DAMAGED", n, "")
		if n, ok := w.push(w.list[i]); ok {
			emit("ELEMENT REPEATED", n, "")
		}
		if i+1 < len(w.list) && w.list[i+1] != none {
			n := w
			n.list[i], n.list[i+1] = n.list[i+1], n.list[i]
			emit("ELEMENTS SWAPPED", n, "")
		}
	}
	if w.ship.phase == ready && !w.removed {
		for _, e := range w.next(v) {
			if n, ok := w.push(e); ok {
				emit("RPUSH DONE, REPLY LOST", n, "")
			}
			for i := range w.late {
				if n := w; w.late[i] == none {
					n.late[i] = e
					emit("RPUSH DELAYED", n, "")
					break
				}
			}
		}
	}
	if w.ship != (modelShipper{}) {
		n := w
		n.ship, n.sealed = modelShipper{}, true
		emit("SERVER KILLED", n, "")
	}
	for i := range b.flushers {
		f := w.flush[i]
		if f.phase < committing {
			continue
		}
		n := w
		n.flush[i] = modelFlusher{}
		emit("FLUSHER KILLED", n, "") // also: COMMIT failed, LTRIM failed
		if f.phase != committing || !w.row {
			continue
		}
		if v.ackUnknownCommit {
			emit("COMMIT FAILED", n.acked(f.new, b), "")
		}
		if w.last == f.old {
			n, broke := n.commit(f, v)
			emit("COMMIT DONE, REPLY LOST", n, broke)
		}
	}
	if b.restore && w.row && !w.removed {
		w.restored = true
		for last := range w.last {
			n := w
			n.last = last
			clear(n.events[last+1:])
			n.user = modelUser{}
			n = n.applyBatch(1, last, variant{})
			emit("MYSQL RESTORED", n, "")
		}
		n := w
		n.row, n.last, n.events, n.user = false, 0, [modelFrames + 1]fate{}, modelUser{}
		emit("MYSQL RESTORED TO BEFORE REGISTER", n, "")
	}
}

// landings emits the RPUSHes that had timed out and land now, or never.
func (w world) landings(emit emit) {
	for i, e := range w.late {
		if e == none {
			continue
		}
		gone := w
		gone.late[i] = none
		if n, ok := gone.push(e); ok {
			emit("delayed RPUSH lands", n, "")
		}
		emit("delayed RPUSH is lost", gone, "")
	}
}

// canonical maps states that differ only in names to one of them.
func (w world) canonical(b bounds) world {
	if b.flushers == 2 && less(w.flush[1], w.flush[0]) {
		w.flush[0], w.flush[1] = w.flush[1], w.flush[0]
	}
	if w.late[1] < w.late[0] {
		w.late[0], w.late[1] = w.late[1], w.late[0]
	}
	return w
}

func less(a, b modelFlusher) bool {
	key := func(f modelFlusher) uint64 {
		return uint64(f.phase)<<40 | uint64(f.holes)<<32 | uint64(f.old)<<24 | uint64(f.new)<<16 | uint64(f.gaps)<<8 | uint64(f.trim)
	}
	return key(a) < key(b)
}

// explorer visits every state that can be reached, breadth first, so that the
// first failure is a shortest one.
type explorer struct {
	v      variant
	b      bounds
	seen   map[world]int32
	states []world
	parent []int32
	via    []string
	// Steps that need no fault, for the way back from the goal.
	from, to []int32
}

// explore returns how many states there are and the first failure, if any, with
// the steps that lead to it.
func explore(v variant, b bounds) (states int, err error) {
	x := explorer{v: v, b: b, seen: map[world]int32{}}
	x.visit(-1, "start", world{appended: b.frames, first: 1, script: b.script})
	for i := 0; i < len(x.states); i++ {
		w := x.states[i]
		if broke := w.check(); broke != "" {
			return len(x.states), x.failure(int32(i), broke)
		}
		at := int32(i)
		w.steps(v, b, func(name string, n world, broke string) {
			to := x.visit(at, name, n)
			x.from, x.to = append(x.from, at), append(x.to, to)
			if broke != "" && err == nil {
				err = x.failure(at, name+": "+broke)
			}
		})
		fault := func(name string, n world, broke string) {
			x.visit(at, name, n)
			if broke != "" && err == nil {
				err = x.failure(at, name+": "+broke)
			}
		}
		w.breakages(v, b, fault)
		w.landings(fault)
		if err != nil {
			return len(x.states), err
		}
	}
	return len(x.states), x.goalReachable()
}

func (x *explorer) visit(parent int32, via string, w world) int32 {
	w = w.canonical(x.b)
	if i, ok := x.seen[w]; ok {
		return i
	}
	i := int32(len(x.states))
	x.seen[w] = i
	x.states = append(x.states, w)
	x.parent = append(x.parent, parent)
	x.via = append(x.via, via)
	return i
}

// goalReachable checks that from every state the system can get everything
// committed by itself, with no further fault and without delayed commands.
func (x *explorer) goalReachable() error {
	// Edges by target, in one slice.
	start := make([]int32, len(x.states)+1)
	for _, t := range x.to {
		start[t+1]++
	}
	for i := range len(x.states) {
		start[i+1] += start[i]
	}
	sources := make([]int32, len(x.to))
	next := slices.Clone(start)
	for i, t := range x.to {
		sources[next[t]] = x.from[i]
		next[t]++
	}
	reached := make([]bool, len(x.states))
	var todo []int32
	for i, w := range x.states {
		if w.goal() {
			reached[i] = true
			todo = append(todo, int32(i))
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, s := range sources[start[i]:start[i+1]] {
			if !reached[s] {
				reached[s] = true
				todo = append(todo, s)
			}
		}
	}
	for i := range reached {
		if !reached[i] {
			return x.failure(int32(i), "D: from here not everything can be committed any more")
		}
	}
	return nil
}

func (x *explorer) failure(at int32, broke string) error {
	var path []string
	for i := at; i >= 0; i = x.parent[i] {
		path = append(path, x.via[i])
	}
	slices.Reverse(path)
	return fmt.Errorf("%s\n\tafter: %s\n\tstate: %+v", broke, strings.Join(path, ", "), x.states[at])
}

// TestModel explores the protocol. Each row is finite and is explored completely;
// the larger ones wait for -deep.
func TestModel(t *testing.T) {
	for _, row := range []struct {
		bounds
		deep bool
	}{
		{bounds: bounds{frames: 4, flushers: 1, quiet: true}},
		{bounds: bounds{frames: 4, flushers: 2}},
		{bounds: bounds{frames: 4, flushers: 2, faults: 1}},
		{bounds: bounds{frames: 3, flushers: 1, faults: 2}},
		{bounds: bounds{frames: 2, flushers: 2, faults: 2}},
		{bounds: bounds{frames: 1, flushers: 2, faults: 3}},
		{bounds: bounds{frames: 2, flushers: 2, faults: 1, restore: true}},
		{bounds: bounds{frames: 2, flushers: 1, faults: 2, restore: true}},
		{bounds: bounds{frames: 4, flushers: 1, faults: 2}, deep: true},
		{bounds: bounds{frames: 3, flushers: 2, faults: 2}, deep: true},
		{bounds: bounds{frames: 2, flushers: 2, faults: 3}, deep: true},
		{bounds: bounds{frames: 3, flushers: 2, faults: 1, restore: true}, deep: true},
		{bounds: bounds{frames: 2, flushers: 2, faults: 2, restore: true}, deep: true},
	} {
		b := row.bounds
		t.Run(fmt.Sprintf("%d frames %d flushers %d faults restore=%v", b.frames, b.flushers, b.faults, b.restore), func(t *testing.T) {
			if row.deep && !*deep {
				t.Skip("needs -deep")
			}
			began := time.Now()
			states, err := explore(variant{}, b)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d states, all safe, all with a way to the goal, in %v", states, time.Since(began).Round(time.Millisecond))
		})
	}
}

// TestModelUser explores the protocol with every sequence of actions, releases and resets.
func TestModelUser(t *testing.T) {
	for _, b := range []bounds{
		{frames: 4, flushers: 1},
		{frames: 3, flushers: 1, faults: 1},
		{frames: 2, flushers: 2, faults: 1, restore: true},
	} {
		total := 0
		for _, b.script = range scripts(b.frames) {
			states, err := explore(variant{}, b)
			if err != nil {
				t.Fatalf("%v: %v", b.script, err)
			}
			total += states
		}
		t.Logf("%d frames %d flushers %d faults restore=%v: %d states", b.frames, b.flushers, b.faults, b.restore, total)
	}
}

// TestModelCatches breaks one rule at a time: the model must see it.
func TestModelCatches(t *testing.T) {
	for _, c := range []struct {
		name string
		v    variant
		b    bounds
	}{
		{"no compare-and-set", variant{noCompareAndSet: true}, bounds{frames: 1, flushers: 2}},
		{"register overwrites", variant{registerOverwrites: true}, bounds{frames: 2, flushers: 1, faults: 1, restore: true}},
		{"register at 0", variant{registerAtZero: true, noGapFrame: true}, bounds{frames: 2, flushers: 1, faults: 1, restore: true}},
		{"no gap frame", variant{noGapFrame: true}, bounds{frames: 2, flushers: 1, faults: 1, restore: true}},
		{"LTRIM before COMMIT", variant{listTrimFirst: true}, bounds{frames: 2, flushers: 1, quiet: true}},
		{"LTRIM of all that was peeked", variant{listTrimAll: true}, bounds{frames: 2, flushers: 1, quiet: true}},
		{"holes skipped", variant{skipHoles: true}, bounds{frames: 2, flushers: 1, faults: 1}},
		{"committed part of an element applied again", variant{wholeElements: true}, bounds{frames: 2, flushers: 1}},
		{"no loss check", variant{noLossCheck: true}, bounds{frames: 1, flushers: 1, faults: 1}},
		{"progress read before the head", variant{checkBackwards: true}, bounds{frames: 2, flushers: 1, quiet: true}},
		{"resend from the wrong place", variant{resendFromSent: true}, bounds{frames: 2, flushers: 1, faults: 1}},
		{"journal trimmed when shipped", variant{ackWhenShipped: true}, bounds{frames: 1, flushers: 1}},
		{"unknown COMMIT taken as done", variant{ackUnknownCommit: true}, bounds{frames: 1, flushers: 1, faults: 1}},
		{"old stream removed when shipped", variant{removeWhenShipped: true}, bounds{frames: 1, flushers: 1, faults: 1}},
		{"no dedupe", variant{noDedupe: true}, bounds{frames: 2, flushers: 1, script: script{1: click, 2: click}}},
		{"dedupe within a batch", variant{dedupeInBatch: true}, bounds{frames: 3, flushers: 1, script: script{1: release, 3: release}}},
		{"no tombstone", variant{noTombstone: true}, bounds{frames: 2, flushers: 1, script: script{1: reset, 2: click}}},
		{"tombstone within a batch", variant{tombstoneInBatch: true}, bounds{frames: 3, flushers: 1, script: script{1: click, 2: reset, 3: click}}},
		{"a release ends the wait of a click", variant{lastEndsWait: true}, bounds{frames: 2, flushers: 1, script: script{1: click, 2: release}}},
		{"a release ends no wait", variant{releaseIgnored: true}, bounds{frames: 1, flushers: 1, script: script{1: release}}},
		{"progress never read again", variant{neverReread: true}, bounds{frames: 2, flushers: 1, faults: 1, restore: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			states, err := explore(c.v, c.b)
			if err == nil {
				t.Fatalf("%d states and nothing found", states)
			}
			t.Logf("after %d states: %v", states, err)
		})
	}
}
