package frequency

import (
	"path/filepath"
	"testing"

	"github.com/popupd/popupd/popup"
)

// resetUser resets a user as of now, and returns when.
func resetUser(table *Table, user string, nowMS int64) int64 {
	at := ResetAt(nowMS)
	table.Merge(&popup.Event{User: []byte(user), Action: popup.Reset, AtMS: at})
	return at
}

func TestReset(t *testing.T) {
	table := New(Config{})
	serve(t, table, "u", 1, &defaults, noon)
	serve(t, table, "u", 2, &defaults, noon+minute)
	serve(t, table, "u", 3, &defaults, noon+2*minute)
	serve(t, table, "v", 1, &defaults, noon)
	table.Merge(&popup.Event{User: []byte("u"), Action: popup.Reset, AtMS: noon + minute})
	var left []uint32
	table.States([]byte("u"), func(id uint32, _ popup.State) { left = append(left, id) })
	if len(left) != 1 || left[0] != 3 {
		t.Errorf("popups %v are left, want [3]", left)
	}
	if check(table, "v", 1, &defaults, noon+minute).Reason == popup.Eligible {
		t.Error("another user's state is gone")
	}
}

// A reset makes void what was served up to its tick, and nothing served later.
func TestResetIsFinal(t *testing.T) {
	table := New(Config{})
	shown := serve(t, table, "u", 1, &defaults, noon+50)
	resetUser(table, "u", noon+60)
	table.States([]byte("u"), func(id uint32, s popup.State) { t.Errorf("popup %d is remembered: %+v", id, s) })
	click := shown
	click.Action, click.AtMS, click.ReadyAtMS, click.ClickUntilMS = popup.Click, noon+minute, noon+day, noon+day
	for name, late := range map[string]func(){
		"the impression": func() { table.Merge(&shown) },
		"a late click":   func() { table.Merge(&click) },
		"a stored state": func() {
			if !table.Restore([]byte("u"), 1, click.State()) {
				t.Error("a state that is dropped counts as left out")
			}
		},
	} {
		late()
		expect(t, table, "u", 1, &defaults, noon+2*minute, popup.Eligible, 0)
		if t.Failed() {
			t.Fatal("after ", name)
		}
	}
	if ev, o := act(table, shown, popup.Click, &defaults, noon+minute); o != Void || ev.AtMS != noon+minute {
		t.Errorf("a click with a token of before: outcome %d, want void", o)
	}
	again := serve(t, table, "u", 1, &defaults, noon+70)
	if again.ServedAtMS <= ResetAt(noon+60) || again.AtMS != noon+70 || again.Nth != 1 {
		t.Errorf("served in the tick of the reset: %+v, want a name after it", again)
	}
	if _, o := act(table, again, popup.Click, &defaults, noon+minute); o != Counted {
		t.Errorf("a click with a token of after: outcome %d, want counted", o)
	}
}

// What came before a reset may be merged after it, or the other way round, or be
// in a dump: it makes no difference.
func TestResetInAnyOrder(t *testing.T) {
	shown := popup.Event{User: []byte("u"), Popup: 7, Action: popup.Impression, AtMS: noon, ServedAtMS: noon, Nth: 1, ReadyAtMS: noon + day}
	later := shown
	later.AtMS, later.ServedAtMS, later.ReadyAtMS = noon+hour, noon+hour, noon+hour+day
	reset := popup.Event{User: []byte("u"), Action: popup.Reset, AtMS: ResetAt(noon)}
	older := popup.Event{User: []byte("u"), Action: popup.Reset, AtMS: ResetAt(noon - hour)}
	for _, events := range [][]popup.Event{
		{shown, reset, older, later}, {reset, shown, later, older}, {later, shown, older, reset}, {older, later, reset, shown},
	} {
		table := New(Config{})
		for i := range events {
			table.Merge(&events[i])
		}
		path := filepath.Join(t.TempDir(), "state")
		dump(t, table, path)
		loaded := New(Config{})
		loaded.Merge(&shown)
		if _, _, err := loaded.Load(path); err != nil {
			t.Fatal(err)
		}
		for _, table := range []*Table{table, loaded} {
			states := 0
			table.States([]byte("u"), func(_ uint32, s popup.State) {
				if states++; s != later.State() {
					t.Errorf("remembered %+v, want %+v", s, later.State())
				}
			})
			if _, o := act(table, shown, popup.Click, &defaults, noon+2*hour); states != 1 || o != Void {
				t.Errorf("%d states, a click on what was before: outcome %d; want 1 state and void", states, o)
			}
		}
	}
}

// A reset is kept for as long as tokens of before live.
func TestResetIsKept(t *testing.T) {
	table := New(Config{})
	table.SetPolicy(func(uint32) Retention { return Retention{Keep: Drop} })
	at := resetUser(table, "u", noon)
	shown := popup.Event{User: []byte("u"), Popup: 7, ServedAtMS: noon}
	sweepAll(table, noon+7*day-second)
	if _, o := act(table, shown, popup.Click, &defaults, noon+7*day-second); o != Void {
		t.Errorf("just before the end of the token: outcome %d, want void", o)
	}
	sweepAll(table, at+7*day)
	if n := table.entries(); n != 0 {
		t.Errorf("%d entries are left a week later, want none", n)
	}
}

// A popup that is taken back does not bring back what a reset dropped.
func TestUndoAfterReset(t *testing.T) {
	table := New(Config{})
	serve(t, table, "u", 7, &defaults, noon)
	u := table.Lock([]byte("u"))
	undo, _ := u.Serve(&popup.Event{User: []byte("u"), Popup: 7, Action: popup.Impression, AtMS: noon + 2*day}, &defaults)
	u.Unlock()
	resetUser(table, "u", noon+day)
	u = table.Lock([]byte("u"))
	u.Undo(undo)
	u.Unlock()
	table.States([]byte("u"), func(id uint32, s popup.State) { t.Errorf("popup %d is remembered: %+v", id, s) })
}

// Whoever keeps something else of users hears of each reset, wherever it is read.
func TestOnReset(t *testing.T) {
	type reset struct {
		hash uint64
		atMS int64
	}
	told := func() (*Table, *[]reset) {
		var list []reset
		return New(Config{OnReset: func(hash uint64, atMS int64) { list = append(list, reset{hash, atMS}) }}), &list
	}
	table, merged := told()
	serve(t, table, "u", 7, &defaults, noon)
	at := resetUser(table, "u", noon)
	hash := table.Hash([]byte("u"))
	if len(*merged) != 1 || (*merged)[0] != (reset{hash, at}) {
		t.Errorf("merging the reset told %v, want %x at %d", *merged, hash, at)
	}
	path := filepath.Join(t.TempDir(), "state")
	dump(t, table, path)
	loading, loaded := told()
	if _, _, err := loading.Load(path); err != nil {
		t.Fatal(err)
	}
	if len(*loaded) != 1 || (*loaded)[0].hash != hash || ResetAt((*loaded)[0].atMS) != at {
		t.Errorf("loading the dump told %v, want %x in the tick of %d", *loaded, hash, at)
	}
}
