package frequency

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// What caps say follows from the events alone, in whatever order they come and however
// often, also where entries are undone and swept, and the server begins anew from an older
// dump and the events since.
func TestCapsLikeModel(t *testing.T) {
	type name struct {
		user   string
		id     uint32
		served int64
	}
	type flags struct{ counts, released, acted bool }
	dump := filepath.Join(t.TempDir(), "dump")
	rapid.Check(t, func(t *rapid.T) {
		c := &capped{of: map[uint32]popup.CapSet{}, era: 1}
		for range rapid.IntRange(1, 4).Draw(t, "caps") {
			c.caps = append(c.caps, popup.Cap{
				Max:    rapid.Uint32Range(1, 5).Draw(t, "max"),
				PerSec: rapid.SampledFrom([]int64{1, 60, 3600, 86400, popup.MaxCapSec}).Draw(t, "per sec"),
			})
		}
		for id := uint32(1); id < uint32(len(popups)); id++ {
			c.of[id] = rapid.Custom(func(t *rapid.T) popup.CapSet { return popup.CapSet(rapid.IntRange(0, 1<<len(c.caps)-1).Draw(t, "set")) }).Draw(t, "covered by")
		}
		begin := func() *Table {
			table := newTable(Config{}, 1)
			table.KeepImpressions(func(id uint32) int64 {
				if c.of[id] == 0 {
					return 0
				}
				return popup.MaxCapSec * 1000
			})
			return table
		}
		table, dumped, since := begin(), false, 0
		model, resets := map[name]flags{}, map[string]int64{}
		now := int64(noon)
		var log []popup.Event
		learn := func(ev *popup.Event) {
			k := name{string(ev.User), ev.Popup, down(ev.ServedAtMS)}
			if k.served <= resets[k.user] || c.of[k.id] == 0 {
				return
			}
			f := model[k]
			switch ev.Action {
			case popup.Control:
				return
			case popup.Impression:
				f.counts = f.counts || ev.Nth > 0
			case popup.Release:
				f.released = true
			case popup.View:
				f.counts = true
			default:
				f.counts, f.acted = true, true
			}
			model[k] = f
		}
		t.Repeat(map[string]func(*rapid.T){
			"clock": func(t *rapid.T) { now += drawStep.Draw(t, "by") },
			"poll": func(t *rapid.T) {
				user, id := drawUser.Draw(t, "user"), drawPopup.Draw(t, "popup")
				ev := popup.Event{User: []byte(user), Popup: id, Version: 1, Action: drawShow.Draw(t, "action"), AtMS: now}
				u := table.Lock(ev.User)
				undo, _ := u.Serve(&ev, &popups[id])
				taken := rapid.IntRange(0, 4).Draw(t, "undo") == 0
				if taken {
					u.Undo(undo)
				}
				u.Unlock()
				if !taken {
					learn(&ev)
					log = append(log, ev)
				}
			},
			"act": func(t *rapid.T) {
				if len(log) == 0 {
					t.Skip("nothing recorded")
				}
				ev := rapid.SampledFrom(log).Draw(t, "impression")
				if ev.Action == popup.Control {
					t.Skip("a control has no token")
				}
				ev.Action, ev.AtMS = drawAct.Draw(t, "action"), now
				u := table.Lock(ev.User)
				undo, outcome := u.Act(&ev, &popups[ev.Popup], 0)
				taken := rapid.IntRange(0, 4).Draw(t, "undo") == 0
				if taken {
					u.Undo(undo)
				}
				u.Unlock()
				if !taken && outcome == Counted {
					learn(&ev)
					log = append(log, ev)
				}
			},
			"another server's": func(t *rapid.T) {
				ev := drawEvent(t, now)
				if ev.AtMS > now+second {
					t.Skip("a clock that is wrong")
				}
				table.Merge(&ev)
				learn(&ev)
				log = append(log, ev)
			},
			"replay": func(t *rapid.T) {
				if len(log) > 0 {
					ev := rapid.SampledFrom(log).Draw(t, "event")
					table.Merge(&ev)
					learn(&ev)
					log = append(log, ev)
				}
			},
			"reset": func(t *rapid.T) {
				user, at := drawUser.Draw(t, "user"), now-drawStep.Draw(t, "ago")
				table.Merge(&popup.Event{User: []byte(user), Action: popup.Reset, AtMS: at})
				resets[user] = max(resets[user], down(at))
				maps.DeleteFunc(model, func(k name, _ flags) bool { return k.user == user && k.served <= down(at) })
			},
			"dump": func(t *rapid.T) {
				if err := table.Dump(dump, nil, nil); err != nil {
					t.Fatal(err)
				}
				dumped, since = true, len(log)
			},
			"kill": func(t *rapid.T) {
				table = begin()
				table.Sweep(now)
				if dumped {
					if _, _, err := table.Load(dump); err != nil {
						t.Fatal(err)
					}
				}
				for user, at := range resets {
					table.Merge(&popup.Event{User: []byte(user), Action: popup.Reset, AtMS: at})
				}
				for _, ev := range rapid.Permutation(log[since:]).Draw(t, "order") {
					table.Merge(&ev)
					learn(&ev)
				}
			},
			"tags change": func(t *rapid.T) { // but not so that more has to be kept than was
				id := drawPopup.Draw(t, "popup")
				if other := popup.CapSet(rapid.IntRange(0, 1<<len(c.caps)-1).Draw(t, "set")); c.of[id] != 0 && other != 0 {
					c.of[id], c.era = other, c.era+1
				}
			},
			"sweep": func(*rapid.T) {
				sweepAll(table, now)
				kept := len(resets)
				maps.DeleteFunc(resets, func(_ string, at int64) bool { return now >= at+popup.TokenLife.Milliseconds() })
				if len(resets) < kept { // a dump of before knows one that is over
					dumped, since = false, 0
				}
			},
			"": func(t *rapid.T) {
				user, prior, id := drawUser.Draw(t, "user"), drawUser.Draw(t, "prior"), drawPopup.Draw(t, "popup")
				var want Verdict
				for i, limit := range c.caps {
					var counted []int64
					for k, f := range model {
						if (k.user == user || k.user == prior) && f.counts && (f.acted || !f.released) && c.of[k.id]&(1<<i) != 0 {
							counted = append(counted, k.served)
						}
					}
					slices.SortFunc(counted, func(a, b int64) int { return cmp.Compare(b, a) })
					if c.of[id]&(1<<i) == 0 || len(counted) < int(limit.Max) {
						continue
					}
					if end := counted[limit.Max-1] + tickMS - 1 + 1000*limit.PerSec; now < end {
						want.stop(popup.CapFull, end)
					}
				}
				u := table.LockBoth([]byte(user), []byte(prior))
				defer u.Unlock()
				var got Verdict
				if u.CheckCaps(&got, c.of[id], new(FullCaps), c, now); got != want {
					t.Fatalf("%s, before %s, and popup %d: got %+v\nwant %+v", user, prior, id, got, want)
				}
			},
		})
	})
}
