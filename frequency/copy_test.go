package frequency

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// written returns the dump of a table.
func written(t interface{ Fatal(...any) }, table *Table) []byte {
	var b bytes.Buffer
	if err := table.writeDump(&b, nil, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A copy says of its users what the table says, whatever has happened, and what happens to
// the copy changes nothing of the table.
func TestCopyIsTheSameAndApart(t *testing.T) {
	var c *Table // its memory is used again from one check to the next
	rapid.Check(t, func(t *rapid.T) {
		table := newTable(Config{MinGap: 10 * time.Minute}, uint8(rapid.IntRange(0, 2).Draw(t, "shard bits")))
		if rapid.Bool().Draw(t, "caps") {
			table.KeepImpressions(hourly.keep)
		}
		now := int64(noon)
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			now += drawStep.Draw(t, "by")
			if rapid.IntRange(0, 9).Draw(t, "reset") == 0 {
				table.Merge(&popup.Event{User: []byte(drawUser.Draw(t, "user")), Action: popup.Reset, AtMS: now})
				continue
			}
			ev := drawEvent(t, now)
			table.Merge(&ev)
		}
		user, prior := []byte(drawUser.Draw(t, "user")), []byte(nil)
		if rapid.Bool().Draw(t, "had another id") {
			prior = []byte(drawUser.Draw(t, "prior"))
		}
		before := written(t, table)
		c = table.Copy(c, user, prior, now)
		c.shards[0].check(t)
		for id := range uint32(len(popups)) {
			if id == 0 {
				continue
			}
			ev := popup.Event{User: user, Popup: id, Version: 1, Action: popup.Impression, AtMS: now}
			u := c.LockBoth(user, prior)
			got := u.Check(id, &popups[id], now)
			u.CheckCaps(&got, hourly.of[id], new(FullCaps), hourly, now)
			u.Unlock()
			if !bytes.Equal(before, written(t, table)) {
				t.Fatal("to check the copy changed the table")
			}

			// The table itself moves to now what a clock left in the future.
			tried := c.Copy(nil, user, prior, now)
			u = tried.LockBoth(user, prior)
			_, ok := u.Serve(&ev, &popups[id])
			u.Unlock()
			tried.shards[0].check(t)
			if !ok || !bytes.Equal(before, written(t, table)) {
				t.Fatalf("served from the copy: %v, or the table has changed", ok)
			}

			u = table.LockBoth(user, prior)
			want := u.Check(id, &popups[id], now)
			u.CheckCaps(&want, hourly.of[id], new(FullCaps), hourly, now)
			u.Unlock()
			if got != want {
				t.Fatalf("popup %d: the copy says %+v, the table %+v", id, got, want)
			}
			before = written(t, table)
		}
	})
}

// Where the table has no memory for another popup of a user, the copy has none either.
func TestCopyOfAFullTable(t *testing.T) {
	for _, caps := range []*capped{{}, hourly} {
		table := newTable(Config{MaxBytes: 4096}, 0)
		if len(caps.caps) > 0 {
			table.KeepImpressions(caps.keep)
		}
		waits, full, room := popup.Frequency{AfterImpressionSec: 60}, 0, 0
		serve := func(of *Table, user string, nowMS int64) bool {
			u := of.Lock([]byte(user))
			defer u.Unlock()
			_, ok := u.Serve(&popup.Event{User: []byte(user), Popup: 1, Version: 1, Action: popup.Impression, AtMS: nowMS}, &waits)
			return ok
		}
		for i := range 400 {
			user, nowMS := fmt.Sprint("user ", i), noon+int64(i)*second/10
			if i >= 300 { // some have expired
				nowMS += 3 * hour
			}
			got := serve(table.Copy(nil, []byte(user), nil, nowMS), user, nowMS)
			want := serve(table, user, nowMS)
			if got != want {
				t.Fatalf("caps %v: user %d: the copy has memory: %v, the table %v", caps.caps, i, got, want)
			}
			if want {
				room++
			} else {
				full++
			}
		}
		if full < 50 || room < 50 {
			t.Errorf("%d times no memory, %d times some: want both", full, room)
		}
	}
}

// Copies from a full table search for expired entries once a second, however many there are,
// and not at all while polls of new users do.
func TestCopiesOfAFullTableSearchOnceASecond(t *testing.T) {
	table := newTable(Config{MaxBytes: 64 << 10}, 0)
	seen := popup.State{Impressions: 1, ServedAtMS: noon, ShownAtMS: noon, Last: popup.Impression, AtMS: noon, NextAtMS: noon + hour}
	for i := 0; table.Restore(fmt.Append(nil, "user ", i), 1, seen); i++ {
	}
	looked, entries := 0, table.entries()
	table.SetPolicy(func(uint32) Retention {
		looked++
		return Retention{}
	})
	copies := func(fromMS int64) {
		for i := range int64(100) {
			if table.Copy(nil, fmt.Append(nil, "stranger ", i), nil, fromMS+i*9).HasRoom() {
				t.Fatal("a copy has room")
			}
		}
	}
	for i := range 3 {
		copies(noon + minute + int64(i)*second)
		if want := (i + 1) * entries; looked != want {
			t.Errorf("second %d: copies looked at %d entries so far, want %d", i, looked, want)
		}
	}
	looked = 0
	u := table.Lock([]byte("stranger"))
	if _, ok := u.Serve(&popup.Event{User: []byte("stranger"), Popup: 1, Version: 1, Action: popup.Impression, AtMS: noon + 2*minute}, &defaults); ok {
		t.Error("a new user was served")
	}
	u.Unlock()
	polled := looked
	if copies(noon + 2*minute); looked != polled {
		t.Errorf("copies looked at %d entries after a poll had", looked-polled)
	}

	if !table.Copy(nil, []byte("stranger"), nil, noon+5*hour).HasRoom() {
		t.Error("a copy has no room in place of what has expired")
	}
}
