package frequency

import (
	"bytes"
	"slices"
	"testing"

	"github.com/popupd/popupd/popup"
)

// Caps count an impression for as long as it may stop another, under either id of a user.
func TestCapCounts(t *testing.T) {
	table := newCapped(hourly)
	serve(t, table, "u", 1, &popup.Frequency{}, noon)
	serve(t, table, "before", 2, &popup.Frequency{}, noon+minute)
	serve(t, table, "u", 4, &popup.Frequency{}, noon+second)        // no cap counts it
	serve(t, table, "somebody", 1, &popup.Frequency{}, noon+second) // nor this one for them
	for _, c := range []struct {
		prior         string
		nowMS         int64
		hourly, daily int
	}{
		{"", noon + minute, 1, 0},
		{"before", noon + minute, 2, 1},
		{"before", noon + hour + tickMS - 2, 2, 1},
		{"before", noon + hour + tickMS - 1, 1, 1},
		{"before", noon + minute + day + tickMS - 2, 0, 1},
		{"before", noon + minute + day + tickMS - 1, 0, 0},
	} {
		prior := []byte(nil)
		if c.prior != "" {
			prior = []byte(c.prior)
		}
		u := table.LockBoth([]byte("u"), prior)
		if got := u.CapCounts(hourly, c.nowMS); got[0] != c.hourly || got[1] != c.daily {
			t.Errorf("%q, %d ms after noon: %v, want %d and %d", c.prior, c.nowMS-noon, got[:2], c.hourly, c.daily)
		}
		u.Unlock()
	}
}

// What is rewound knows nothing of what came later, and as much of what came before as the
// latest impression tells.
func TestRewind(t *testing.T) {
	table := newCapped(hourly)
	waits := &popup.Frequency{AfterImpressionSec: 7200, AfterClickSec: 86400}
	serve(t, table, "u", 1, waits, noon)
	ev := serve(t, table, "u", 2, waits, noon+minute)
	serve(t, table, "u", 3, waits, noon+2*minute)
	click := popup.Event{User: []byte("u"), Popup: 2, Action: popup.Click, ServedAtMS: ev.ServedAtMS, AtMS: noon + hour}
	u := table.Lock(click.User)
	u.Act(&click, waits, 0)
	u.Unlock()
	before := written(t, table)
	for _, c := range []struct {
		ms     int64
		popups []uint32
		count  int // of the hourly cap
	}{
		{noon - second, nil, 0},
		{noon, []uint32{1}, 1},
		{noon + minute, []uint32{1, 2}, 2},
		{noon + 10*minute, []uint32{1, 2, 3}, 3},
	} {
		past := table.Copy(nil, []byte("u"), nil, c.ms)
		past.Rewind(c.ms)
		past.shards[0].check(t)
		var known []uint32
		past.States([]byte("u"), func(id uint32, s popup.State) {
			known = append(known, id)
			if s.AtMS > c.ms {
				t.Errorf("%d ms after noon: popup %d at %d ms", c.ms-noon, id, s.AtMS-noon)
			}
		})
		u := past.Lock([]byte("u"))
		count := u.CapCounts(hourly, c.ms)[0]
		v := u.Check(2, waits, c.ms)
		u.Unlock()
		if !slices.Equal(known, c.popups) || count != c.count {
			t.Errorf("%d ms after noon: popups %v, %d impressions, want %v, %d", c.ms-noon, known, count, c.popups, c.count)
		}
		if slices.Contains(c.popups, 2) && v.ReadyAtMS != noon+hour+day {
			t.Errorf("%d ms after noon: popup 2 waits for %+v", c.ms-noon, v)
		}
	}
	if !bytes.Equal(before, written(t, table)) {
		t.Error("the table has changed")
	}
}
