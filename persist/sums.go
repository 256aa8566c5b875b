package persist

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/popupd/popupd/popup"
)

const hourMS = 3_600_000

// batchSums are the rows of user_popup and popup_stats that a batch adds up to: one a
// user and popup, one a popup, hour and variant. They are sorted by their keys, so
// that all transactions lock rows in the same order.
type batchSums struct {
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

// compute replaces the sums by those of these events. An event older than its user's
// reset counts in the statistics and leaves no state.
func (b *batchSums) compute(events []popup.Event, resets *resets) {
	b.order = b.order[:0]
	for i := range events {
		if events[i].Action != popup.Reset {
			b.order = append(b.order, &events[i])
		}
	}
	b.sumStats()
	b.order = slices.DeleteFunc(b.order, resets.cover)
	b.mergeStates()
}

func (b *batchSums) mergeStates() {
	slices.SortFunc(b.order, func(x, y *popup.Event) int {
		return cmp.Or(bytes.Compare(x.User, y.User), cmp.Compare(x.Popup, y.Popup))
	})
	b.states = b.states[:0]
	for _, e := range b.order {
		if n := len(b.states); n > 0 && b.states[n-1].popup == e.Popup && bytes.Equal(b.states[n-1].user, e.User) {
			b.states[n-1].Merge(e.State())
			continue
		}
		b.states = append(b.states, stateRow{user: e.User, popup: e.Popup, State: e.State()})
	}
}

func (b *batchSums) sumStats() {
	b.stats = b.stats[:0]
	for _, e := range b.order {
		s := b.statsOf(e)
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

// statsOf returns the row of the event's popup, hour and variant. A batch has few
// of them, so a sorted slice is index enough.
func (b *batchSums) statsOf(e *popup.Event) *statsRow {
	hour := e.AtMS - e.AtMS%hourMS
	i, found := slices.BinarySearchFunc(b.stats, e, func(s statsRow, e *popup.Event) int {
		return cmp.Or(cmp.Compare(s.popup, e.Popup), cmp.Compare(s.hourMS, hour), bytes.Compare(s.variant, e.Variant))
	})
	if !found {
		b.stats = slices.Insert(b.stats, i, statsRow{popup: e.Popup, hourMS: hour, variant: e.Variant})
	}
	return &b.stats[i]
}
