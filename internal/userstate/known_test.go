package userstate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

var streamA, streamB, streamC = popup.StreamID{1}, popup.StreamID{2}, popup.StreamID{3}

// knows returns what a restore by change would start from.
func knows(t *testing.T, k *known) map[popup.StreamID]uint64 {
	t.Helper()
	_, since := k.beginRead(0, 0, 0)
	if since == nil {
		return nil
	}
	return since.Seqs
}

func restoredTo(k *known, full string, committed map[popup.StreamID]uint64) (holes bool) {
	r, _ := k.beginRead(0, 0, 0)
	return k.restored(r, &persist.Found{Full: full, Committed: committed}, 0)
}

// What is heard without a hole is known, what is behind one is not until a restore has
// found what is missing.
func TestKnownWithoutHoles(t *testing.T) {
	k := newKnown(false)
	want := func(want map[popup.StreamID]uint64) {
		t.Helper()
		if d := cmp.Diff(want, knows(t, k)); d != "" {
			t.Errorf("known (-want +got):\n%s", d)
		}
		k.reading = false
	}
	hear := func(id popup.StreamID, first, last uint64, missed bool) {
		t.Helper()
		if got := k.hear(id, first, last); got != missed {
			t.Errorf("%d to %d: missed some %v, want %v", first, last, got, missed)
		}
	}
	hear(streamA, 11, 20, false) // before the first restore, which finds what was missed
	want(nil)
	if restoredTo(k, "nothing is known yet", map[popup.StreamID]uint64{streamA: 12, streamB: 5}) {
		t.Error("a hole where there is none")
	}
	want(map[popup.StreamID]uint64{streamA: 20, streamB: 5})
	hear(streamA, 15, 25, false)
	hear(streamA, 1, 3, false) // again
	hear(streamC, 1, 2, false) // new
	want(map[popup.StreamID]uint64{streamA: 25, streamB: 5, streamC: 2})

	hear(streamA, 28, 30, true)
	hear(streamA, 31, 33, false) // a restore was asked for
	want(map[popup.StreamID]uint64{streamA: 25, streamB: 5, streamC: 2})
	hear(streamA, 26, 28, false)
	want(map[popup.StreamID]uint64{streamA: 33, streamB: 5, streamC: 2})

	hear(streamB, 9, 9, true)
	k.beginRead(0, 0, 0)
	hear(streamC, 7, 8, false) // while a restore reads
	if !restoredTo(k, "", map[popup.StreamID]uint64{streamA: 33, streamB: 7, streamC: 6}) {
		t.Error("no hole in B, where 8 is missing")
	}
	want(map[popup.StreamID]uint64{streamA: 33, streamB: 7, streamC: 8})
	if restoredTo(k, "", map[popup.StreamID]uint64{streamA: 33, streamB: 7}) {
		t.Error("a restore is asked for again although nothing more was heard")
	}
	want(map[popup.StreamID]uint64{streamA: 33, streamB: 7}) // C is over: the database does not tell of it
	hear(streamB, 10, 10, true)
	if restoredTo(k, "", map[popup.StreamID]uint64{streamB: 10}) {
		t.Error("a hole where there is none")
	}
	want(map[popup.StreamID]uint64{streamB: 10})
}

// A dump's note brings everything back, unless what was dropped meanwhile may matter.
func TestNote(t *testing.T) {
	const at, hour, day = 1_800_000_000_000, 3_600_000, 86_400_000
	for _, c := range []struct {
		name  string
		spoil func(k *known) // between the begin of the dump and its note
		clock int64          // when it is loaded
		gap   time.Duration  // then
		keeps map[uint32]int64
		want  bool
	}{
		{"as it was", nil, at, time.Hour, map[uint32]int64{1: forEver, 2: day, 3: 0, 4: forEver}, true},
		{"the clock is an hour behind", nil, at - hour, time.Hour, nil, true},
		{"the clock is further behind", nil, at - hour - 1, time.Hour, nil, false},
		{"a shorter gap", nil, at, time.Minute, nil, true},
		{"a longer gap", nil, at, time.Hour + 1e6, nil, false},
		{"a goal counts for longer", nil, at, time.Hour, map[uint32]int64{2: day + 1}, false},
		{"a popup is limited", nil, at, time.Hour, map[uint32]int64{2: forEver}, false},
		{"as one was while it was dumped", nil, at, time.Hour, map[uint32]int64{3: 1}, false},
		{"all is read meanwhile", func(k *known) { restoredTo(k, "why", map[popup.StreamID]uint64{streamA: 7}) }, at, time.Hour, nil, false},
		{"changes are read meanwhile", func(k *known) { restoredTo(k, "", map[popup.StreamID]uint64{streamA: 7}) }, at, time.Hour, nil, true},
		{"a popup comes back meanwhile", (*known).forget, at, time.Hour, nil, false},
		{"the gap is shorter meanwhile", func(k *known) { k.swept(at, time.Minute) }, at, time.Hour, nil, false},
		{"one comes back that was archived before", func(k *known) {
			k.setKeeps(map[uint32]int64{5: 0}, nil)
			k.setKeeps(map[uint32]int64{5: notKept}, nil)
		}, at, time.Hour, map[uint32]int64{1: forEver, 5: 0}, false},
		{"a state is lost", func(k *known) { k.lost-- }, at, time.Hour, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKnown(false)
			k.setKeeps(map[uint32]int64{1: forEver, 2: day, 3: 0}, nil)
			r, _ := k.beginRead(0, time.Hour, at)
			k.restored(r, &persist.Found{Full: "why", Committed: map[popup.StreamID]uint64{streamA: 5}, QuietMS: 9, Limited: []uint32{1}}, 0)
			k.swept(at, time.Hour)
			k.swept(at-1, time.Hour)
			d, seqs := k.beginDump()
			k.setKeeps(map[uint32]int64{1: forEver, 2: day, 3: day}, nil) // what 3 had for longer may be gone
			if c.spoil != nil {
				c.spoil(k)
			}
			loaded := newKnown(false)
			loaded.loaded(seqs, k.note(d, 0), c.clock)
			loaded.setKeeps(c.keeps, nil)
			_, since := loaded.beginRead(0, c.gap, c.clock)
			if (since != nil) != c.want {
				t.Fatalf("known %v, want %v", since != nil, c.want)
			}
			if !c.want {
				return
			}
			want := &persist.Known{Seqs: map[popup.StreamID]uint64{streamA: 5}, Committed: k.Committed, QuietMS: k.QuietMS}
			if d := cmp.Diff(want, since); d != "" {
				t.Errorf("known (-want +got):\n%s", d)
			}
			if d, _ := loaded.beginDump(); loaded.note(d, 0) != nil {
				t.Error("a note before the database has said what the journal may lack")
			}
		})
	}
	k := newKnown(false)
	for _, note := range []string{"", "{", `{"version":2}`, `{"version":1,"committed":{"x":1}}`} {
		if k.loaded(nil, []byte(note), at); k.whole {
			t.Errorf("the note %q is taken", note)
		}
	}
}

// What a popup asks to keep was kept only if it has asked for no less at all times since
// the latest full read.
func TestKept(t *testing.T) {
	k := newKnown(false)
	want := func(all string) {
		t.Helper()
		if r, _ := k.beginRead(0, 0, 0); r.all != all {
			t.Errorf("all is read because %q, want %q", r.all, all)
		}
	}
	read := func(meanwhile func(), limited ...uint32) {
		r, _ := k.beginRead(0, 0, 0)
		meanwhile()
		k.restored(r, &persist.Found{Full: "why", Limited: limited}, 0)
	}
	nothing := func() {}
	limit := func(limited, other int64) func() {
		return func() { k.setKeeps(map[uint32]int64{1: limited, 2: other}, nil) }
	}
	limit(forEver, 0)()
	want(allUnknown)
	read(nothing, 1)
	want("")
	limit(forEver, 10)()
	want(allLonger)
	limit(forEver, 0)()
	want("")
	limit(forEver, 10)()
	read(nothing, 1)
	want("")
	limit(0, 10)()
	limit(forEver, 10)()
	want(allLonger)
	read(limit(0, 10), 1)
	limit(forEver, 10)()
	want(allLonger)
	read(nothing) // the database does not know of the limit yet
	want(allLonger)
	read(nothing, 1)
	want("")
	k.setKeeps(map[uint32]int64{1: forEver, 2: 10, 3: forEver}, nil) // nothing of a new one was dropped
	want("")
}

// What a clock that was ahead had dropped is read again, in the same process too.
func TestClockSetBack(t *testing.T) {
	const now, hour = 1_800_000_000_000, 3_600_000
	for name, ahead := range map[string]func(k *known){
		"swept": func(k *known) { k.swept(now+2*hour, 0) },
		"read": func(k *known) {
			r, _ := k.beginRead(0, 0, now+2*hour)
			k.restored(r, &persist.Found{}, now+2*hour)
		},
	} {
		k := newKnown(false)
		restoredTo(k, "why", nil)
		ahead(k)
		if r, _ := k.beginRead(0, 0, now+hour); r.all != "" {
			t.Errorf("%s: an hour back all is read because %q", name, r.all)
		}
		if r, _ := k.beginRead(0, 0, now); r.all != allEarlier {
			t.Errorf("%s: two hours back all is read because %q, want %q", name, r.all, allEarlier)
		}
	}
}

// A sweep without popups keeps nothing for popups that are known later.
func TestSweptWithoutPopups(t *testing.T) {
	k := newKnown(false)
	k.setKeeps(map[uint32]int64{1: forEver}, nil)
	r, _ := k.beginRead(0, 0, 0)
	k.restored(r, &persist.Found{Full: "why", Limited: []uint32{1}}, 0)
	d, seqs := k.beginDump()
	text := k.note(d, 0)
	for sweeps, want := range []string{"", allLonger} {
		loaded := newKnown(false)
		loaded.loaded(seqs, text, 0)
		for range sweeps {
			loaded.swept(0, 0)
		}
		loaded.setKeeps(map[uint32]int64{1: forEver}, nil)
		if r, _ := loaded.beginRead(0, 0, 0); r.all != want {
			t.Errorf("after %d sweeps all is read because %q, want %q", sweeps, r.all, want)
		}
	}
}
