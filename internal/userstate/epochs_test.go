package userstate

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

// TestEpochs: an epoch is over when all streams that moved in it are committed that far,
// whatever others wait for.
func TestEpochs(t *testing.T) {
	a, b := popup.StreamID{1}, popup.StreamID{2}
	type at = map[popup.StreamID]uint64
	var e epochs
	e.end(0, at{a: 10, b: 5})
	e.end(1, at{}) // nothing
	e.end(2, at{b: 8})
	e.end(3, at{a: 20})
	for _, c := range []struct {
		committed at
		open      string
	}{
		{nil, "[{0 0} {2 2} {3 3}]"},
		{at{a: 10}, "[{0 0} {2 2} {3 3}]"},
		{at{a: 20, b: 4}, "[{0 0} {2 2}]"},
		{at{a: 20, b: 5}, "[{2 2}]"},
		{at{a: 20, b: 7}, "[{2 2}]"},
		{at{b: 8}, "[]"},
	} {
		if got := fmt.Sprint(e.committed(c.committed)); got != c.open {
			t.Errorf("committed up to %v: open are %s, want %s", c.committed, got, c.open)
		}
	}
	e.end(4, at{b: 1000}) // never committed
	for n := range uint32(200) {
		e.end(n+50, at{a: 21 + uint64(n)})
	}
	open, waits := e.committed(nil), e.waits()
	if len(open) != maxEpochs || open[0] != (frequency.Epochs{From: 4, To: 4}) || open[1].From != 50 || open[maxEpochs-1].To != 249 || len(waits) != 2 || waits[a] != 220 || waits[b] != 1000 {
		t.Errorf("%d are told apart, %v, which wait for %v", len(open), open, waits)
	}
	for i, o := range open[2:] {
		if o.From != open[i+1].To+1 {
			t.Fatalf("%v is followed by %v", open[i+1], o)
		}
	}
	if open := e.committed(at{a: 220}); fmt.Sprint(open) != "[{4 4}]" {
		t.Errorf("all but one is committed, and %v are open", open)
	}
}

// TestEpochsGiveUp: what is not committed for a day in which the database answered is waited for
// no longer.
func TestEpochsGiveUp(t *testing.T) {
	type at = map[popup.StreamID]uint64
	var e epochs
	e.end(7, at{{1}: 1})
	for range 2 * waitEpochs {
		if len(e.committed(nil)) == 0 {
			t.Fatal("given up while the database is away")
		}
	}
	for range waitEpochs {
		if len(e.committed(at{})) == 0 {
			t.Fatal("given up within a day")
		}
	}
	if open := e.committed(at{}); len(open) != 0 {
		t.Errorf("after a day %v are open", open)
	}
}

// TestEpochsOfWhatIsHeard: an epoch waits for all that was heard in it: below a number that was
// heard before, behind a hole, from the pages of a list, which is read from its end, and whatever
// is read of the database meanwhile. It always waits for what the journal holds.
func TestEpochsOfWhatIsHeard(t *testing.T) {
	s := newLooking(t, 0)
	s.Connect(openJournal(t, t.TempDir()), nil)
	other := popup.StreamID{7}
	if _, err := s.db.Register(t.Context(), other, 1); err != nil {
		t.Fatal(err)
	}
	var e epochs
	next := 0
	wants := func(what, want string) {
		t.Helper()
		s.endEpoch(t.Context(), &e)
		got := "nothing"
		for _, o := range e.open {
			if int(o.From) == next {
				got = fmt.Sprint(len(o.wants), " up to ", o.wants[other])
			}
		}
		if got != want {
			t.Errorf("%s: epoch %d waits for %s, want %s", what, next, got, want)
		}
		next++
	}
	read := func() {
		t.Helper()
		if _, err := s.mergeStates(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	read()
	s.Heard(other, 500, 510)
	wants("behind a hole", "1 up to 510")
	wants("silence", "nothing")
	s.Heard(other, 300, 320)
	s.Heard(other, 30, 40)
	wants("below", "1 up to 320")
	for page := 2; page >= 0; page-- {
		for n := range uint64(10) {
			s.Heard(other, uint64(page)*10+n, uint64(page)*10+n)
		}
	}
	if h := s.known.streams[other]; h.seq != 40 || len(h.ahead) != 2 {
		t.Errorf("known is everything up to %d, and %v; want 40, and two spans", h.seq, h.ahead)
	}
	wants("a list", "1 up to 29")
	s.Heard(other, 41, 45)
	s.known.forget()
	read()
	if h := s.known.streams[other]; h.seq != 0 || h.ahead != nil {
		t.Errorf("after the database was read again everything up to %d is known, and %v; want nothing", h.seq, h.ahead)
	}
	wants("before all is read again", "1 up to 45")
	if err := s.journal.Append([]popup.Event{{AtMS: s.now(), User: []byte("u"), Action: popup.Reset}}); err != nil {
		t.Fatal(err)
	}
	wants("journaled", "1 up to 0")
	wants("journaled before", "1 up to 0")
}

// TestDumpsSayWhatTheyWaitFor: a server that loads a dump waits for all that may not have been
// committed of it, until it has read what others have shipped.
func TestDumpsSayWhatTheyWaitFor(t *testing.T) {
	a, b, c := popup.StreamID{1}, popup.StreamID{2}, popup.StreamID{3}
	type at = map[popup.StreamID]uint64
	k := newKnown(true)
	want := func(what string, waits at, loads func(*known)) {
		t.Helper()
		d, positions := k.beginDump()
		next := newKnown(true)
		if loads != nil {
			loads(next)
		}
		next.loaded(positions, k.note(d, 0), 0)
		if got, _ := next.endEpoch(); !maps.Equal(got, waits) {
			t.Errorf("%s: it waits for %v, want %v", what, got, waits)
		}
		next = newKnown(true)
		next.loaded(positions, k.note(d, 0), 0)
		next.listsRead()
		if got, _ := next.endEpoch(); len(got) > 0 {
			t.Errorf("%s: with the lists read it waits for %v", what, got)
		}
	}
	restoredTo(k, "why", at{a: 5})
	k.hear(a, 3, 4)
	k.hear(a, 8, 9)
	k.hear(b, 1, 2)
	want("heard", at{a: 9, b: 2}, nil)
	want("heard more meanwhile", at{a: 20, b: 2}, func(next *known) { next.hear(a, 20, 20) })
	k.endEpoch()
	want("an epoch has ended", at{a: 9, b: 2}, nil)
	k.hear(c, 7, 7)
	want("and more was heard", at{a: 9, b: 2, c: 7}, nil)
	k.waitFor(at{b: 2})
	want("some is committed", at{b: 2, c: 7}, nil)
	restoredTo(k, "why", at{a: 5})
	restoredTo(k, "why", at{a: 5}) // of the others the database knows nothing
	want("all was read again", at{b: 2, c: 7}, nil)
	k.forget()
	want("what was known is forgotten", at{b: 2, c: 7}, nil)
	everybody := newKnown(false)
	restoredTo(everybody, "why", at{a: 5})
	everybody.hear(b, 1, 3)
	d, positions := everybody.beginDump()
	next := newKnown(true)
	next.loaded(positions, everybody.note(d, 0), 0)
	if got, _ := next.endEpoch(); !maps.Equal(got, at{a: 5, b: 3}) {
		t.Errorf("a dump of everybody: it waits for %v", got)
	}
	s := newLooking(t, 0)
	s.Connect(openJournal(t, t.TempDir()), nil)
	s.known.loaded(at{c: 7}, nil, 0)
	if err := s.mergeMissed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.known.endEpoch(); len(got) > 0 {
		t.Errorf("a start that has read the lists waits for %v", got)
	}
}

// TestPastForAnotherReason: a database of the past is noticed as such, whatever else asks to read
// all of it.
func TestPastForAnotherReason(t *testing.T) {
	type at = map[popup.StreamID]uint64
	k := newKnown(true)
	restoredTo(k, "why", at{{1}: 5, {2}: 5})
	k.hear(popup.StreamID{1}, 6, 9)
	r, _ := k.beginRead(0, time.Hour, 0) // a longer gap
	if r.all != allLonger {
		t.Fatalf("all is read because %q", r.all)
	}
	for _, c := range []struct {
		now  at
		past bool
	}{{at{{1}: 5, {2}: 5}, false}, {at{{1}: 5}, false}, {at{{1}: 4, {2}: 9}, true}} {
		if got := r.isPast(&persist.Found{Full: allLonger, Committed: c.now}); got != c.past {
			t.Errorf("committed up to %v: of the past %v, want %v", c.now, got, c.past)
		}
	}
}
