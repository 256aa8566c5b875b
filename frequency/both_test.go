package frequency

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// checkBoth checks for a user who had another id before.
func checkBoth(table *Table, user, prior string, id uint32, f *popup.Frequency, nowMS int64) Verdict {
	u := table.LockBoth([]byte(user), []byte(prior))
	defer u.Unlock()
	return u.Check(id, f, nowMS)
}

func TestLockBoth(t *testing.T) {
	for _, bits := range []uint8{0, shardBits} { // both in one shard, or hardly ever
		t.Run(fmt.Sprint(1<<bits, " shards"), func(t *testing.T) {
			twice := popup.Frequency{AfterImpressionSec: 60, AfterClickSec: 86400, MaxImpressions: 2}
			for name, c := range map[string]struct {
				gap  time.Duration
				seed func(table *Table)
				want Verdict // of popup 1, three minutes after noon
			}{
				"nothing known": {0, func(*Table) {}, Verdict{}},
				"shown under the old id": {0, func(table *Table) {
					serve(t, table, "old", 1, &twice, noon+2*minute+30*second)
				}, Verdict{popup.CooldownImpression, noon + 3*minute + 30*second, noon + 2*minute + 30*second}},
				"clicked under the old id, shown under the new one": {0, func(table *Table) {
					act(table, serve(t, table, "old", 1, &twice, noon), popup.Click, &twice, noon+minute)
					serve(t, table, "new", 1, &twice, noon+2*minute+30*second)
				}, Verdict{popup.CooldownClick, popup.Never, noon + 2*minute + 30*second}},
				"clicked under the new id, shown under the old one": {0, func(table *Table) {
					act(table, serve(t, table, "new", 1, &defaults, noon), popup.Click, &twice, noon+minute)
					serve(t, table, "old", 2, &twice, noon+2*minute+30*second)
				}, Verdict{popup.CooldownClick, noon + minute + day, noon}},
				"the limit is that of both": {0, func(table *Table) {
					serve(t, table, "old", 1, &twice, noon)
					serve(t, table, "new", 1, &twice, noon+minute)
				}, Verdict{popup.MaxImpressionsSeen, popup.Never, noon + minute}},
				"once is not twice": {0, func(table *Table) {
					serve(t, table, "old", 1, &twice, noon)
				}, Verdict{popup.Eligible, 0, noon}},
				"the gap after what the old id saw": {time.Hour, func(table *Table) {
					serve(t, table, "old", 2, &twice, noon)
				}, Verdict{popup.MinGap, noon + hour + 99, 0}},
				"from a clock that was wrong": {time.Hour, func(table *Table) {
					serve(t, table, "old", 1, &defaults, noon+900*day)
				}, Verdict{popup.CooldownImpression, noon + 3*minute + day, noon + 900*day}},
			} {
				table := newTable(Config{MinGap: c.gap}, bits)
				c.seed(table)
				before := table.entries()
				if got := checkBoth(table, "new", "old", 1, &twice, noon+3*minute); got != c.want {
					t.Errorf("%s: %+v, want %+v", name, got, c.want)
				}
				if got := table.entries(); got != before {
					t.Errorf("%s: %d entries after a check, want %d", name, got, before)
				}
			}
		})
	}
}

// What is served is written under the new id only.
func TestLockBothWritesOne(t *testing.T) {
	for _, bits := range []uint8{0, shardBits} {
		table := newTable(Config{}, bits)
		serve(t, table, "old", 1, &defaults, noon)
		for i := range uint32(500) { // the shard grows meanwhile
			u := table.LockBoth([]byte("new"), []byte("old"))
			ev := popup.Event{User: []byte("new"), Popup: i + 2, Action: popup.Impression, AtMS: noon}
			if _, ok := u.Serve(&ev, &defaults); !ok || ev.Nth != 1 {
				t.Fatalf("serve: %v, %+v", ok, ev)
			}
			if v := u.Check(1, &defaults, noon); v.Reason != popup.CooldownImpression {
				t.Fatalf("what the old id saw, after %d others: %v", i+1, v.Reason)
			}
			u.Unlock()
		}
		known := func(user string) (n int) {
			table.States([]byte(user), func(uint32, popup.State) { n++ })
			return n
		}
		if known("old") != 1 || known("new") != 500 {
			t.Errorf("%d states of the old id, %d of the new one; want 1 and 500", known("old"), known("new"))
		}
	}
}

// An id that is given as its own predecessor counts once.
func TestLockBothOfOneID(t *testing.T) {
	table := New(Config{})
	twice := popup.Frequency{MaxImpressions: 2}
	serve(t, table, "u", 1, &twice, noon)
	if v := checkBoth(table, "u", "u", 1, &twice, noon+minute); v.Reason != popup.Eligible {
		t.Errorf("shown once of two: %v", v.Reason)
	}
}

// Users who are each other's predecessors do not wait for each other for ever.
func TestLockBothInOneOrder(t *testing.T) {
	table := newTable(Config{}, 3)
	var polls sync.WaitGroup
	for g := range 4 {
		polls.Go(func() {
			for i := range 20_000 {
				a, b := fmt.Sprint("u", i%17), fmt.Sprint("u", (i+g)%17)
				checkBoth(table, a, b, 1, &defaults, noon)
				checkBoth(table, b, a, 1, &defaults, noon)
			}
		})
	}
	polls.Wait()
}
