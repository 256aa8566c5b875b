package frequency

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// sweepAll sweeps until every slot has been looked at.
func sweepAll(t *Table, nowMS int64) {
	slots := 0
	for i := range t.shards {
		slots += len(t.shards[i].slots)
	}
	for range slots/(sweepSlots/2) + 2 {
		t.Sweep(nowMS)
	}
}

func TestRetention(t *testing.T) {
	const gap = 3 * time.Hour
	at := func(ms int64) int64 { return noon + ms }
	for name, c := range map[string]struct {
		s    popup.State
		keep Retention
		want int64 // when the entry goes: 0 at once, popup.Never never
	}{
		"a wait and an hour":             {popup.State{ServedAtMS: noon, Last: popup.Impression, NextAtMS: at(day)}, Retention{}, at(day + hour)},
		"a click's wait":                 {popup.State{ServedAtMS: noon, Last: popup.Dismiss, ClickUntilMS: at(9 * day), NextAtMS: at(9 * day), Acted: 3}, Retention{}, at(9*day + hour)},
		"the least gap":                  {popup.State{ServedAtMS: noon, ShownAtMS: noon, Last: popup.Impression, NextAtMS: noon}, Retention{}, at(3*hour + 99)},
		"a control holds no gap":         {popup.State{ServedAtMS: noon, Last: popup.Control, NextAtMS: noon}, Retention{}, at(hour)},
		"the token of an acted-on one":   {popup.State{ServedAtMS: noon, Last: popup.Click, NextAtMS: at(day), Acted: 1}, Retention{}, at(7 * day)},
		"a wait for ever":                {popup.State{ServedAtMS: noon, Last: popup.Impression, NextAtMS: popup.Never}, Retention{}, popup.Never},
		"a click's wait for ever":        {popup.State{ServedAtMS: noon, Last: popup.Dismiss, ClickUntilMS: popup.Never, NextAtMS: popup.Never}, Retention{}, popup.Never},
		"a goal of a day, after a wait":  {popup.State{ServedAtMS: noon, AtMS: at(hour), Last: popup.Impression, NextAtMS: at(hour)}, Retention{GoalMS: day}, at(day)},
		"a goal of a day, and a control": {popup.State{ServedAtMS: noon, Last: popup.Control, NextAtMS: noon}, Retention{GoalMS: day}, at(day)},
		"a goal of a second":             {popup.State{ServedAtMS: noon, Last: popup.Control, NextAtMS: noon}, Retention{GoalMS: 1000}, at(hour)},
		"a limited number":               {popup.State{ServedAtMS: noon, Last: popup.Impression, NextAtMS: at(day)}, Retention{Keep: KeepForever}, popup.Never},
		"archived and the least gap":     {popup.State{ServedAtMS: noon, ShownAtMS: noon, Last: popup.Impression, NextAtMS: at(day)}, Retention{Keep: Drop}, at(3*hour + 99)},
		"archived":                       {popup.State{ServedAtMS: noon, Last: popup.Impression, NextAtMS: at(day)}, Retention{Keep: Drop}, 0},
		"archived with a wait for ever":  {popup.State{ServedAtMS: noon, Last: popup.Impression, NextAtMS: popup.Never}, Retention{Keep: Drop}, 0},
		"archived, acted on and waiting": {popup.State{ServedAtMS: noon, Last: popup.Click, NextAtMS: at(day), ClickUntilMS: at(day), Acted: 1}, Retention{Keep: Drop}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			table := New(Config{MinGap: gap})
			table.SetPolicy(func(uint32) Retention { return c.keep })
			restore := func() {
				if !table.Restore([]byte("u"), 7, c.s) {
					t.Fatal("no memory")
				}
			}
			sweeps := func(now int64, wantLeft int) {
				t.Helper()
				restore()
				sweepAll(table, now)
				if got := table.entries(); got != wantLeft {
					t.Errorf("%v after noon %d entries are left, want %d", time.Duration(now-noon)*time.Millisecond, got, wantLeft)
				}
			}
			switch c.want {
			case 0:
				sweeps(noon, 0)
			case popup.Never:
				sweeps(noon+4000*day, 1)
			default:
				sweeps(c.want-1, 1)
				sweeps(c.want, 0)
			}
		})
	}
}

// TestSweepIsBounded and goes on where it stopped.
func TestSweepIsBounded(t *testing.T) {
	table := New(Config{})
	const users = 40_000
	for i := range users {
		serve(t, table, fmt.Sprint("u", i), 1, &defaults, noon)
	}
	last := users
	for round := 0; last > 0; round++ {
		table.Sweep(noon + 3*day)
		left := table.entries()
		if removed := last - left; removed == 0 || removed > sweepSlots+1000 {
			t.Fatalf("round %d removed %d of %d entries", round, removed, last)
		}
		last = left
	}
	for i := range table.shards {
		table.shards[i].check(t)
	}
}

// A shard with many impressions does not hold up its users for longer than others do.
func TestSweepOfImpressionsIsBounded(t *testing.T) {
	table := newTable(Config{}, 0)
	table.KeepImpressions(hourly.keep)
	const users = 3 * sweepSlots
	for n := range users {
		serve(t, table, fmt.Sprint(n), 1, &popup.Frequency{AfterImpressionSec: 86400}, noon)
	}
	for left := users; left > 0; {
		before := left
		for round := 0; left == before; round++ {
			if round > 2*users/(sweepSlots/2) {
				t.Fatalf("%d impressions are left", left)
			}
			table.Sweep(noon + 2*hour)
			left = table.impressions()
		}
		if before-left > sweepSlots {
			t.Fatalf("a sweep has removed %d of %d impressions", before-left, before)
		}
	}
	if got := table.entries(); got != users {
		t.Errorf("%d entries, want %d", got, users)
	}
}

// A user who is shown popup after popup must not wait for a sweep, and polls with it.
func TestOldImpressionsMakeRoom(t *testing.T) {
	table := newCapped(hourly)
	for n := range int64(100) {
		serve(t, table, "u", 1, &popup.Frequency{}, noon+n*hour)
	}
	if got := table.impressions(); got > tidyFrom {
		t.Errorf("%d impressions are kept, want at most %d", got, tidyFrom)
	}
}

func TestFullTableFailsClosed(t *testing.T) {
	registry := prometheus.NewRegistry()
	const budget = 256 << 10
	table := newTable(Config{MaxBytes: budget, MinGap: time.Minute, Registerer: registry}, 3)
	forever := popup.Frequency{AfterImpressionSec: popup.Forever, AfterClickSec: popup.Forever}
	frequency := func(i int) *popup.Frequency {
		if i%2 == 0 {
			return &forever
		}
		return &defaults
	}

	// Fill it, half with what can never expire, until nobody gets in any more.
	var in []int
	for i, refused := 0, 0; refused < 1000; i++ {
		user := []byte(fmt.Sprint("u", i))
		u := table.Lock(user)
		ev := popup.Event{User: user, Popup: 1, Action: popup.Impression, AtMS: noon}
		before := ev
		if _, ok := u.Serve(&ev, frequency(i)); ok {
			in = append(in, i)
		} else {
			refused++
			if u.Known() || ev.Nth != before.Nth || ev.ServedAtMS != 0 {
				t.Fatalf("refused, yet something changed: known %v, %+v", u.Known(), ev)
			}
		}
		u.Unlock()
		if table.bytes.Load() > budget {
			t.Fatalf("%d bytes of %d", table.bytes.Load(), budget)
		}
	}
	if got := float64(len(in)) * slotSize / budget; got < 0.6 {
		t.Errorf("full at %d entries, %.0f %% of the budget", len(in), 100*got)
	}
	if got := table.Refused(); got != 1000 {
		t.Errorf("state_full_total = %v, want 1000", got)
	}
	if n, err := testutil.GatherAndCount(registry, "popupd_state_entries", "popupd_state_bytes", "popupd_state_max_bytes", "popupd_state_full_total"); n != 4 || err != nil {
		t.Errorf("%d metrics, %v; want 3", n, err)
	}

	// Whoever is in is still served by the rules, and may act.
	for _, i := range in {
		name := fmt.Sprint("u", i)
		if got := check(table, name, 1, frequency(i), noon+hour).Reason; got != popup.CooldownImpression {
			t.Fatalf("%s: %v, want %v", name, got, popup.CooldownImpression)
		}
	}
	shown := popup.Event{User: []byte(fmt.Sprint("u", in[0])), Popup: 1, ServedAtMS: noon}
	if _, o := act(table, shown, popup.Click, &forever, noon+hour); o != Counted {
		t.Errorf("click at the budget: outcome %d, want counted", o)
	}
	// What has happened may take the rest of the budget, which nobody is served from.
	rest := 0
	for i, refused := 0, 0; refused < 1000; i++ {
		if table.Restore([]byte(fmt.Sprint("elsewhere", i)), 1, popup.State{ServedAtMS: noon, AtMS: noon, Last: popup.Impression, NextAtMS: noon + day}) {
			rest++
		} else {
			refused++
		}
		if table.bytes.Load() > budget {
			t.Fatalf("%d bytes of %d", table.bytes.Load(), budget)
		}
	}
	if rest < len(in)/100 {
		t.Errorf("room for %d states that come from elsewhere, beside %d", rest, len(in))
	}
	// Others fail closed, whatever they ask for.
	if table.Restore([]byte("stranger"), 1, popup.State{ServedAtMS: noon, Last: popup.Impression, NextAtMS: noon + day}) {
		t.Error("a stranger's state was restored beyond the budget")
	}
	stranger := popup.Event{User: []byte("stranger"), Popup: 1, ServedAtMS: noon}
	if _, o := act(table, stranger, popup.Click, &defaults, noon+hour); o != Full {
		t.Errorf("a stranger's click: outcome %d, want full", o)
	}
	table.Merge(&popup.Event{User: []byte("stranger"), Popup: 1, Action: popup.Impression, AtMS: noon, ServedAtMS: noon, ReadyAtMS: noon + day})
	if got := check(table, "stranger", 1, &defaults, noon+hour); got.Reason != popup.Eligible {
		t.Errorf("a stranger's merged impression: %v", got.Reason)
	}

	// When the first waits are over their room is used again; what waits for ever stays.
	later := noon + day + hour
	for i := range 100 {
		serve(t, table, fmt.Sprint("late", i), 1, &defaults, later)
	}
	for _, i := range in {
		name := fmt.Sprint("u", i)
		if i%2 == 0 && check(table, name, 1, &forever, later).Reason == popup.Eligible {
			t.Fatalf("%s was evicted", name)
		}
	}
	for i := range table.shards {
		table.shards[i].check(t)
	}
}

// TestReclaimForOneNewcomer: the newcomer takes the only slot that is made free.
func TestReclaimForOneNewcomer(t *testing.T) {
	table := newTable(Config{MaxBytes: 4096}, 0)
	table.SetPolicy(func(id uint32) Retention {
		if id == 1 {
			return Retention{Keep: KeepForever}
		}
		return Retention{}
	})
	serve(t, table, "leaves", 2, &defaults, noon)
	s := popup.State{ServedAtMS: noon, AtMS: noon, Last: popup.Impression, NextAtMS: noon + day}
	for i := 0; table.Restore([]byte(fmt.Sprint("u", i)), 1, s); i++ {
	}
	full := table.entries()
	user := []byte("comes")
	u := table.Lock(user)
	defer u.Unlock()
	x, ok := u.Serve(&popup.Event{User: user, Popup: 2, Action: popup.Impression, AtMS: noon + 2*day}, &defaults)
	if !ok || u.hi-u.lo != 1 || u.s.used != full {
		t.Fatalf("served %v, %d slots of the user's and %d in all, want 1 and %d", ok, u.hi-u.lo, u.s.used, full)
	}
	u.Undo(x)
	if u.Known() || u.s.used != full-1 {
		t.Errorf("undone: known %v, %d slots", u.Known(), u.s.used)
	}
}

// At the budget a shard is searched for room once a second, not for each newcomer.
func TestSearchForRoomIsLimited(t *testing.T) {
	table := newTable(Config{MaxBytes: 4096}, 0)
	asked := 0
	table.SetPolicy(func(uint32) Retention { asked++; return Retention{Keep: KeepForever} })
	for i := range 1000 {
		name := []byte(fmt.Sprint("u", i))
		u := table.Lock(name)
		u.Serve(&popup.Event{User: name, Popup: 1, Action: popup.Impression, AtMS: noon + int64(i)}, &defaults)
		u.Unlock()
	}
	if got := table.entries(); asked == 0 || asked > 2*got {
		t.Errorf("asked about %d entries, %d there are", asked, got)
	}
}

// TestFullTableSurvivesARestart: what a full table holds fits into one of the same
// budget, in whatever order it comes: from a dump, shard by shard, or from a store.
func TestFullTableSurvivesARestart(t *testing.T) {
	for _, row := range []struct {
		budget int64
		bits   uint8
	}{{64 << 10, 6}, {5_000_000, 6}, {923_241, shardBits}, {1_081_621, shardBits}} {
		t.Run(fmt.Sprintf("%d bytes, %d shards", row.budget, 1<<row.bits), func(t *testing.T) {
			budget, c := row.budget, Config{MaxBytes: row.budget}
			table := newTable(c, row.bits)
			var in []string
			for i, refused := 0, 0; refused < 1000; i++ {
				user := fmt.Sprint("u", i)
				u := table.Lock([]byte(user))
				ev := popup.Event{User: []byte(user), Popup: 1, Action: popup.Impression, AtMS: noon}
				if _, ok := u.Serve(&ev, &defaults); ok {
					in = append(in, user)
				} else {
					refused++
				}
				u.Unlock()
			}
			path := filepath.Join(t.TempDir(), "state")
			dump(t, table, path)
			loaded := newTable(c, row.bits)
			if _, _, err := loaded.Load(path); err != nil {
				t.Errorf("%d entries: %v", len(in), err)
			}
			restored := newTable(c, row.bits)
			for _, user := range in {
				table.States([]byte(user), func(id uint32, s popup.State) {
					if !restored.Restore([]byte(user), id, s) {
						t.Errorf("%s is left out", user)
					}
				})
			}
			for _, again := range []*Table{loaded, restored} {
				if got := again.bytes.Load(); got > budget {
					t.Errorf("%d bytes of %d", got, budget)
				}
				for _, user := range in {
					if got := check(again, user, 1, &defaults, noon+hour).Reason; got != popup.CooldownImpression {
						t.Fatalf("%s: %v, want %v", user, got, popup.CooldownImpression)
					}
				}
			}
		})
	}
}

// TestSecondSlotAtTheBudget: what a known user does is not refused because its
// entry would take a second slot, and no wait gets shorter, whoever tells of it.
func TestSecondSlotAtTheBudget(t *testing.T) {
	longer := popup.Frequency{AfterImpressionSec: 60, AfterClickSec: 3600, AfterDismissSec: 7200}
	for _, c := range []struct {
		name string
		tell func(table *Table, dismiss popup.Event)
	}{
		{"acted here", func(table *Table, dismiss popup.Event) {
			if _, o := act(table, dismiss, popup.Dismiss, &longer, noon+minute); o != Counted {
				t.Errorf("dismiss: outcome %d, want counted", o)
			}
		}},
		{"told by another server", func(table *Table, dismiss popup.Event) {
			dismiss.Action, dismiss.AtMS, dismiss.ReadyAtMS = popup.Dismiss, noon+minute, noon+minute+2*hour
			table.Merge(&dismiss)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := newTable(Config{MaxBytes: 4096}, 0)
			shown := serve(t, table, "known", 1, &longer, noon)
			act(table, shown, popup.Click, &longer, noon)
			s := popup.State{ServedAtMS: noon, AtMS: noon, Last: popup.Impression, NextAtMS: noon + day}
			for i := 0; table.Restore([]byte(fmt.Sprint("u", i)), 1, s); i++ {
			}
			refused := table.Refused()
			c.tell(table, shown)
			if got, want := check(table, "known", 1, &longer, noon+minute).ReadyAtMS, noon+minute+2*hour; got != want {
				t.Errorf("ready at %d, want %d, when the dismiss's wait is over", got, want)
			}
			if got := table.Refused(); got != refused {
				t.Errorf("%v states were refused", got-refused)
			}
			table.shards[0].check(t)
		})
	}
}
