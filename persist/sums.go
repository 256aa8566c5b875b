package persist

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/popupd/popupd/popup"
)

const hourMS = 3_600_000

// tally sums events up before they go to the store: one row a user and popup,
// one a popup, hour and variant. Rows come in the order of their keys, so that
// transactions lock them in one order.
type tally struct {
	states []stateRow
	stats  []statsRow

	order []*popup.Event
}

type stateRow struct {
	user  []byte // the event's
	popup uint32
	popup.State
}

type statsRow struct {
	popup   uint32
	hourMS  int64
	variant []byte // the event's

	impressions, users, clicks, dismisses, converts, controls uint64
}

// count replaces the sums by those of these events. Events of users erased
// since count in the statistics but leave no state.
func (t *tally) count(events []popup.Event, gone *erased) {
	t.order = t.order[:0]
	for i := range events {
		if events[i].Action != popup.Reset {
			t.order = append(t.order, &events[i])
		}
	}
	t.countStats()
	t.order = slices.DeleteFunc(t.order, gone.covers)
	t.mergeStates()
}

func (t *tally) mergeStates() {
	slices.SortFunc(t.order, func(a, b *popup.Event) int {
		return cmp.Or(bytes.Compare(a.User, b.User), cmp.Compare(a.Popup, b.Popup))
	})
	t.states = t.states[:0]
	for _, e := range t.order {
		if n := len(t.states); n > 0 && t.states[n-1].popup == e.Popup && bytes.Equal(t.states[n-1].user, e.User) {
			t.states[n-1].Merge(e.State())
			continue
		}
		t.states = append(t.states, stateRow{user: e.User, popup: e.Popup, State: e.State()})
	}
}

func (t *tally) countStats() {
	t.stats = t.stats[:0]
	for _, e := range t.order {
		s := t.statsOf(e)
		switch e.Action {
		case popup.Impression:
			s.impressions++
			if e.Nth == 1 {
				s.users++
			}
		case popup.Click:
			s.clicks++
		case popup.Dismiss:
			s.dismisses++
		case popup.Convert:
			s.converts++
		case popup.Control:
			s.controls++
		}
	}
}

// statsOf returns the row of the event's popup, hour and variant. A batch has
// few of them, so the sorted slice is its own index.
func (t *tally) statsOf(e *popup.Event) *statsRow {
	hour := e.AtMS - e.AtMS%hourMS
	i, found := slices.BinarySearchFunc(t.stats, e, func(s statsRow, e *popup.Event) int {
		return cmp.Or(cmp.Compare(s.popup, e.Popup), cmp.Compare(s.hourMS, hour), bytes.Compare(s.variant, e.Variant))
	})
	if !found {
		t.stats = slices.Insert(t.stats, i, statsRow{popup: e.Popup, hourMS: hour, variant: e.Variant})
	}
	return &t.stats[i]
}
