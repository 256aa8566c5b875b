//go:build !race

package frequency

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestHotPathsDoNotAllocate in a table that need not grow.
func TestHotPathsDoNotAllocate(t *testing.T) {
	table := New(Config{MinGap: 1})
	for i := range 20_000 {
		serve(t, table, fmt.Sprint("u", i%5000), uint32(i/5000)+1, &defaults, noon)
	}
	table.SetPolicy(func(uint32) Retention { return Retention{} })
	user, stranger, variant := []byte("u17"), []byte("stranger"), []byte("a")
	now := noon
	show := func(u *User) popup.Event {
		ev := popup.Event{User: user, Popup: 2, Version: 1, Variant: variant, Action: popup.Impression, AtMS: now}
		u.Serve(&ev, &defaults)
		return ev
	}
	for name, f := range map[string]func(){
		"check, unknown": func() {
			u := table.Lock(stranger)
			u.Check(1, &defaults, noon)
			u.Unlock()
		},
		"check, known": func() {
			u := table.Lock(user)
			u.Check(1, &defaults, noon)
			u.Unlock()
		},
		"serve, act and repeat": func() {
			now += day
			u := table.Lock(user)
			ev := show(&u)
			ev.Action = popup.Click
			u.Act(&ev, &defaults, 0)
			u.Act(&ev, &defaults, 0)
			u.Unlock()
		},
		"serve a new one and undo": func() {
			u := table.Lock(stranger)
			ev := popup.Event{User: stranger, Popup: 2, Version: 1, Variant: variant, Action: popup.Impression, AtMS: now}
			x, _ := u.Serve(&ev, &defaults)
			u.Undo(x)
			u.Unlock()
		},
		"merge": func() {
			table.Merge(&popup.Event{User: user, Popup: 3, Action: popup.Click, AtMS: now, ServedAtMS: now, ReadyAtMS: now, ClickUntilMS: now, Nth: 1})
		},
		"restore": func() {
			table.Restore(user, 3, popup.State{ServedAtMS: now, AtMS: now, NextAtMS: now, Last: popup.Impression})
		},
		"sweep": func() { table.Sweep(noon) },
	} {
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s: %v allocations, want 0", name, got)
		}
	}
}
