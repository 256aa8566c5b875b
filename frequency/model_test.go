package frequency

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// popups are the frequencies that the random tests draw from, by id.
var popups = []popup.Frequency{
	1: defaults,
	2: {AfterImpressionSec: 60, AfterClickSec: 600, AfterDismissSec: 1},
	3: {IgnoreMinGap: true},
	4: {AfterImpressionSec: 1, AfterClickSec: popup.Forever, AfterDismissSec: 86400, MaxImpressions: 3},
	5: {AfterImpressionSec: popup.Forever, AfterClickSec: 3600, MaxImpressions: 1},
	6: {AfterImpressionSec: 60, AfterClickSec: 600, AfterDismissSec: 86400},
	7: {AfterImpressionSec: 600, AfterClickSec: 3600, AfterDismissSec: 86400, MaxImpressions: 2, ConfirmSec: 60},
}

var (
	drawUser  = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
	drawPopup = rapid.Uint32Range(1, uint32(len(popups)-1))
	drawAct   = rapid.SampledFrom([]popup.Action{popup.Click, popup.Dismiss, popup.Convert, popup.View, popup.Release})
	drawAge   = rapid.SampledFrom([]int64{0, 0, 1, second, hour, 2 * day})
	drawShow  = rapid.SampledFrom([]popup.Action{popup.Impression, popup.Impression, popup.Control})
	drawStep  = rapid.SampledFrom([]int64{0, 1, 50, 99, 100, second, 59 * second, minute, hour, day, 8 * day})
	drawBack  = rapid.SampledFrom([]int64{1, 100, second, hour, 2 * day})
)

func TestTableLikeModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gap := rapid.SampledFrom([]time.Duration{0, 10 * time.Minute, 1500 * time.Microsecond}).Draw(t, "min gap")
		table := newTable(Config{MinGap: gap}, uint8(rapid.IntRange(0, 2).Draw(t, "shard bits")))
		m := model{
			gapMS:  int64((gap + time.Millisecond - 1) / time.Millisecond),
			keep:   map[uint32]Keep{4: KeepForever, 5: KeepForever},
			states: make(map[modelKey]popup.State),
			resets: make(map[string]int64),
		}
		table.SetPolicy(func(id uint32) Retention { return Retention{Keep: m.keep[id]} })
		now := noon + 7
		var log []popup.Event // what was recorded, for replays and tokens
		var undo struct {
			x             Undo
			key           modelKey
			before, after popup.State
			existed       bool
			bit           uint8
		}

		lock := func(k modelKey) User { return table.Lock([]byte(k.user)) }
		draw := func(t *rapid.T) modelKey {
			return modelKey{drawUser.Draw(t, "user"), drawPopup.Draw(t, "popup")}
		}
		// recorded compares what Serve or Act did with what the event alone must do to the model.
		recorded := func(t *rapid.T, k modelKey, ev, want popup.Event, x Undo) {
			if ev.AtMS != want.AtMS || ev.ServedAtMS != want.ServedAtMS || ev.Nth != want.Nth || ev.ReadyAtMS != want.ReadyAtMS || ev.ClickUntilMS != want.ClickUntilMS {
				t.Fatalf("recorded %+v\nwant     %+v", ev, want)
			}
			if err := ev.Validate(); err != nil {
				t.Fatal(err)
			}
			undo.before, undo.existed = m.states[k]
			if undo.existed {
				m.look(k, now)
			}
			if bit := ev.Action.Bit(); bit == 0 && undo.existed {
				m.states[k] = forgotten(m.states[k], down(now))
			}
			m.event(k, &want, 0)
			undo.x, undo.key, undo.after, undo.bit = x, k, m.states[k], ev.Action.Bit()
			log = append(log, ev)
		}

		t.Repeat(map[string]func(*rapid.T){
			"clock forward": func(t *rapid.T) { now += drawStep.Draw(t, "by") },
			"clock back":    func(t *rapid.T) { now -= drawBack.Draw(t, "by") },
			"poll": func(t *rapid.T) {
				k := draw(t)
				f := &popups[k.id]
				u := lock(k)
				defer u.Unlock()
				// Now and then another server's poll got in between.
				m.check(k, f, now)
				if u.Check(k.id, f, now).Reason != popup.Eligible && !rapid.Bool().Draw(t, "serve nevertheless") {
					return
				}
				ev := popup.Event{User: []byte(k.user), Popup: k.id, Version: 3, Variant: []byte("a"), Action: drawShow.Draw(t, "action"), AtMS: now}
				want := ev
				m.look(k, now)
				s := m.states[k]
				want.AtMS = max(now, s.AtMS, epochMS+tickMS)
				want.ServedAtMS = max(want.AtMS, max(s.ServedAtMS, m.resets[k.user], epochMS)+tickMS)
				want.Nth, want.ReadyAtMS = s.Seen()+1, popup.Until(want.AtMS, f.AfterImpressionSec)
				if f.ConfirmSec > 0 && ev.Action == popup.Impression {
					want.Nth, want.ReadyAtMS = 0, want.AtMS+1000*f.ConfirmSec
				}
				if ev.Action == popup.Control {
					want.Nth = 1
					if s.Last == popup.Control {
						want.Nth = 2
					}
				}
				x, ok := u.Serve(&ev, f)
				if !ok {
					t.Fatal("no memory")
				}
				recorded(t, k, ev, want, x)
			},
			"act": func(t *rapid.T) {
				k, served := draw(t), now-drawStep.Draw(t, "shown elsewhere before")
				if len(log) > 0 && rapid.Bool().Draw(t, "shown here") {
					ev := rapid.SampledFrom(log).Draw(t, "impression")
					k, served = modelKey{string(ev.User), ev.Popup}, ev.ServedAtMS
				}
				f := &popups[k.id]
				if rapid.IntRange(0, 9).Draw(t, "archived") == 0 {
					f = nil
				}
				ev := popup.Event{User: []byte(k.user), Popup: k.id, Action: drawAct.Draw(t, "action"), AtMS: now, ServedAtMS: served}
				age := drawAge.Draw(t, "age")
				want, s := ev, settled(m.states[k], now)
				want.AtMS = max(now, s.AtMS)
				if served > want.AtMS+day {
					want.AtMS -= age
				} else {
					want.AtMS = max(want.AtMS-age, served)
				}
				wait := int64(0)
				if f != nil && ev.Action == popup.Dismiss {
					wait = f.AfterDismissSec
				} else if f != nil {
					wait = f.AfterClickSec
				}
				if ev.Action < popup.View {
					want.ReadyAtMS = popup.Until(want.AtMS, wait)
				}
				if ev.Action == popup.Click || ev.Action == popup.Convert {
					want.ClickUntilMS = want.ReadyAtMS
				}
				confirms := down(served) == s.ServedAtMS && !s.Confirmed() || down(served) > s.ServedAtMS && f != nil && f.ConfirmSec > 0
				if ev.Action == popup.Release {
					confirms = false
				}
				if confirms {
					want.Nth = s.Seen() + 1
					if f != nil && ev.Action == popup.View {
						want.ReadyAtMS = popup.Until(want.AtMS, f.AfterImpressionSec)
					}
				}
				wantOutcome := Counted
				switch {
				case down(served) <= m.resets[k.user]:
					wantOutcome = Void
				case down(served) == s.ServedAtMS && s.Acted&ev.Action.Bit() != 0:
					wantOutcome = Repeated
				case down(served) == s.ServedAtMS && !confirms:
					want.Nth = s.Impressions
				}
				u := lock(k)
				defer u.Unlock()
				x, outcome := u.Act(&ev, f, age)
				if outcome != wantOutcome {
					t.Fatalf("outcome %d, want %d", outcome, wantOutcome)
				}
				switch {
				case outcome == Counted:
					recorded(t, k, ev, want, x)
					if down(served) != m.states[k].ServedAtMS {
						undo.bit = 0
					}
				case x != (Undo{}):
					t.Fatalf("outcome %d, yet there is %+v to undo", outcome, x)
				case outcome == Repeated:
					if err := ev.Validate(); err != nil || ev.Nth != s.Impressions || ev.AtMS > want.AtMS {
						t.Fatalf("a repeat: %+v, %v\nof       %+v at %d", ev, err, s, want.AtMS)
					}
					m.repeat(t, k, &ev, s)
					log = append(log, ev)
				}
			},
			"undo": func(t *rapid.T) {
				u := lock(undo.key)
				defer u.Unlock()
				u.Undo(undo.x)
				s, known := m.states[undo.key]
				switch {
				case !known || s.ServedAtMS != undo.after.ServedAtMS:
				case s != undo.after:
					s.Acted &^= undo.bit
					m.states[undo.key] = s
				case undo.existed && undo.before.ServedAtMS > m.resets[undo.key.user]:
					m.states[undo.key] = undo.before
				default:
					delete(m.states, undo.key)
				}
				undo.x, undo.key, undo.bit = Undo{}, modelKey{}, 0
			},
			"replay": func(t *rapid.T) {
				if len(log) == 0 {
					t.Skip("nothing recorded")
				}
				ev := rapid.SampledFrom(log).Draw(t, "event")
				table.Merge(&ev)
				m.event(modelKey{string(ev.User), ev.Popup}, &ev, m.swept)
			},
			"another server's": func(t *rapid.T) {
				ev := drawEvent(t, now)
				table.Merge(&ev)
				m.event(modelKey{string(ev.User), ev.Popup}, &ev, m.swept)
				log = append(log, ev)
			},
			"restore": func(t *rapid.T) {
				ev := drawEvent(t, now)
				if !table.Restore(ev.User, ev.Popup, ev.State()) {
					t.Fatal("no memory")
				}
				m.merge(modelKey{string(ev.User), ev.Popup}, ev.State(), m.swept)
			},
			"reset": func(t *rapid.T) {
				user := drawUser.Draw(t, "user")
				at := now - drawStep.Draw(t, "ago")
				table.Merge(&popup.Event{User: []byte(user), Action: popup.Reset, AtMS: at})
				for k, s := range m.states {
					if k.user == user && s.ServedAtMS <= down(at) {
						delete(m.states, k)
					}
				}
				m.resets[user] = max(m.resets[user], down(at))
			},
			"reclaim": func(t *rapid.T) {
				m.keep[2] = rapid.SampledFrom([]Keep{KeepWhileWaiting, KeepWhileWaiting, Drop}).Draw(t, "popup 2")
				sweepAll(table, now)
				m.reclaim(now)
			},
			"": func(t *rapid.T) {
				compare(t, table, &m)
				k := draw(t)
				u := lock(k)
				defer u.Unlock()
				if got, want := u.Check(k.id, &popups[k.id], now), m.check(k, &popups[k.id], now); got != want {
					t.Fatalf("%v: got  %+v\nwant %+v", k, got, want)
				}
			},
		})
	})
}

// drawEvent draws what a server with a clock of its own may have recorded.
func drawEvent(t *rapid.T, now int64) popup.Event {
	id := drawPopup.Draw(t, "popup")
	f := &popups[id]
	ev := popup.Event{
		User: []byte(drawUser.Draw(t, "user")), Popup: id,
		Action: rapid.SampledFrom([]popup.Action{
			popup.Impression, popup.Click, popup.Dismiss, popup.Convert, popup.Control, popup.View, popup.Release,
		}).Draw(t, "action"),
		AtMS: now - drawStep.Draw(t, "ago") + 150, Nth: rapid.Uint32Range(0, 3).Draw(t, "nth"),
	}
	if rapid.IntRange(0, 19).Draw(t, "clock") == 0 {
		ev.AtMS = time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	}
	ev.ServedAtMS, ev.ReadyAtMS = ev.AtMS, popup.Until(ev.AtMS, f.AfterImpressionSec)
	if ev.Action.Bit() != 0 {
		ev.ServedAtMS -= drawStep.Draw(t, "shown before")
	}
	switch ev.Action {
	case popup.Click, popup.Convert:
		ev.ReadyAtMS = popup.Until(ev.AtMS, wait(ev.Action, f))
		ev.ClickUntilMS = ev.ReadyAtMS
	case popup.Dismiss:
		ev.ReadyAtMS = popup.Until(ev.AtMS, wait(ev.Action, f))
	case popup.View:
		if rapid.Bool().Draw(t, "confirms nothing") {
			ev.ReadyAtMS = 0
		}
	case popup.Release:
		ev.ReadyAtMS = 0
	}
	return ev
}

// compare fails unless table and model hold the same.
func compare(t *rapid.T, table *Table, m *model) {
	t.Helper()
	got := contents(table)
	for k, want := range m.states {
		if got[k] != want {
			t.Fatalf("%v: got  %+v\nwant %+v", k, got[k], want)
		}
	}
	if len(got) != len(m.states) || table.entries() != len(got)+len(m.resets) {
		t.Fatalf("%d states in %d entries, want %d", len(got), table.entries(), len(m.states))
	}
	for i := range table.shards {
		table.shards[i].check(t)
	}
}

// contents returns what the table knows of the users of the random tests.
func contents(table *Table) map[modelKey]popup.State {
	states := make(map[modelKey]popup.State)
	for _, user := range []string{"a", "b", "c", "d", "e", "f"} {
		table.States([]byte(user), func(id uint32, s popup.State) { states[modelKey{user, id}] = s })
	}
	return states
}

func TestMergeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []popup.Event
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			events = append(events, drawEvent(t, noon))
		}
		one, other := New(Config{}), New(Config{})
		for i := range events {
			one.Merge(&events[i])
		}
		again := rapid.SliceOf(rapid.SampledFrom(events)).Draw(t, "delivered twice")
		for _, ev := range rapid.Permutation(slices.Concat(events, again)).Draw(t, "order") {
			other.Merge(&ev)
		}
		got, want := contents(other), contents(one)
		for k := range want {
			if got[k] != want[k] {
				t.Fatalf("%v: in another order %+v\nin order %+v", k, got[k], want[k])
			}
		}
	})
}
