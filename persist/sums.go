package persist

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/popupd/popupd/popup"
)

// batchSums are the rows that a batch adds up to: of impression, one a user, popup
// and time of serving; of user_popup, one a user and popup; of popup_stats, one a
// popup, hour and variant. They are sorted by their keys, so that all transactions
// lock rows in the same order.
//
// The statistics are summed last, when the store has said which outcomes it knew.
type batchSums struct {
	outcomes    []outcome // of the batch's events, by index
	impressions []impressionRow
	states      []stateRow
	stats       []statsRow

	zone                 *time.Location // whose hours those of stats are
	hourFromMS, hourToMS int64          // the hour last looked up: most events of a batch are of the same one

	order     []entry // events that leave rows of their users, by user, popup, impression and seq
	goals     []goal  // that may count, by user, popup and time
	lateGoals []*goal // that were pending and are counted by this batch
}

// outcome is what the store makes of an event.
type outcome struct {
	repeated bool // an action that adds nothing: it was counted before, or its user was reset after the impression
	first    bool // the user does this with this popup for the first time

	// Of a goal: the exposure that it counts for; its own time if it counts for none.
	servedAtMS int64
	variant    []byte
}

// entry is an event and its outcome.
type entry struct {
	*popup.Event
	out *outcome
}

// impressionRow is an impression with what the batch knows was done with it.
type impressionRow struct {
	user       []byte // the event's
	popup      uint32
	servedAtMS int64
	version    uint32
	variant    []byte
	acted      uint8
	before     uint8 // acted before this batch, if the store returned it
}

type stateRow struct {
	user  []byte // the event's
	popup uint32
	popup.State
	ever   uint8
	before uint8           // ever before this batch, if the store returned it
	firsts [everBits]entry // by bit of ever: the event that sets it
}

type statsRow struct {
	popup   uint32
	hourMS  int64
	variant []byte // the event's

	impressions, controls                         uint64
	clicks, dismisses, converts, views, releases  uint64
	users, clickUsers, convertUsers, controlUsers uint64
}

// merge makes the rows of impression and user_popup. Of equal actions on one
// impression the first counts, the others are repeated. An event of an impression
// that is older than its user's reset leaves no row of the user; an impression or
// control counts all the same, an action does not.
func (b *batchSums) merge(events []popup.Event, resets *resets, streamNo uint32) {
	b.outcomes = slices.Grow(b.outcomes[:0], len(events))[:len(events)]
	clear(b.outcomes)
	b.order, b.goals, b.lateGoals = b.order[:0], b.goals[:0], b.lateGoals[:0]
	for i := range events {
		e, out := &events[i], &b.outcomes[i]
		switch {
		case e.Action == popup.Reset:
		case resets.cover(e):
			out.repeated, out.servedAtMS = e.Action != popup.Impression && e.Action != popup.Control, e.AtMS
		case e.Action == popup.Goal:
			b.addGoal(e, out, streamNo)
		default:
			b.order = append(b.order, entry{e, out})
		}
	}
	slices.SortFunc(b.order, func(x, y entry) int {
		return cmp.Or(bytes.Compare(x.User, y.User), cmp.Compare(x.Popup, y.Popup),
			cmp.Compare(x.ServedAtMS, y.ServedAtMS), cmp.Compare(x.Seq, y.Seq))
	})
	b.mergeImpressions()
	b.mergeStates()
	if len(b.goals) > 0 {
		b.mergeGoals()
	}
}

func (b *batchSums) mergeImpressions() {
	b.impressions = b.impressions[:0]
	for _, e := range b.order {
		n := len(b.impressions)
		if n == 0 || !b.impressions[n-1].is(e) {
			b.impressions = append(b.impressions, impressionRow{
				user: e.User, popup: e.Popup, servedAtMS: e.ServedAtMS, version: e.Version, variant: e.Variant,
			})
			n++
		}
		row := &b.impressions[n-1]
		e.out.repeated = row.acted&e.Action.Bit() != 0
		row.acted |= actedBit(e.Event)
	}
}

func (r *impressionRow) is(e entry) bool {
	return r.servedAtMS == e.ServedAtMS && r.popup == e.Popup && bytes.Equal(r.user, e.User)
}

// mergeStates takes every click and conversion that is not repeated within the batch for
// one that counts. If it does not, its user has its bit of ever already, from the one
// that did.
func (b *batchSums) mergeStates() {
	b.states = b.states[:0]
	for _, e := range b.order {
		n := len(b.states)
		if n > 0 && b.states[n-1].is(e) {
			b.states[n-1].Merge(e.State())
		} else {
			b.states = append(b.states, stateRow{user: e.User, popup: e.Popup, State: e.State(), ever: everKept})
			n++
		}
		if bit := everBit(e.Event); bit != 0 && !e.out.repeated {
			b.states[n-1].claim(bit, e)
		}
	}
}

func (r *stateRow) is(e entry) bool {
	return r.popup == e.Popup && bytes.Equal(r.user, e.User)
}

// claim sets a bit of ever. Of several events that do, the earliest is the first one.
func (r *stateRow) claim(bit uint8, e entry) {
	r.ever |= bit
	first := &r.firsts[bits.TrailingZeros8(bit)]
	if first.Event != nil {
		if first.Seq < e.Seq {
			return
		}
		first.out.first = false
	}
	*first = e
	e.out.first = true
}

// correctOutcomes corrects the outcomes by what the store returned of the rows.
func (b *batchSums) correctOutcomes() {
	m, s := 0, 0
	for _, e := range b.order {
		if !b.impressions[m].is(e) {
			m++
		}
		for !b.states[s].is(e) { // those between are of goals alone
			s++
		}
		if b.impressions[m].before&e.Action.Bit() != 0 {
			e.out.repeated = true
		}
		if b.states[s].before&everBit(e.Event) != 0 {
			e.out.first = false
		}
	}
}

// sumStats makes the rows of popup_stats, when all outcomes are known.
func (b *batchSums) sumStats(events []popup.Event) {
	b.stats = b.stats[:0]
	for i := range events {
		e, out := &events[i], &b.outcomes[i]
		switch {
		case e.Action == popup.Reset || out.repeated:
		case e.Action == popup.Goal:
			b.statsOf(e.Popup, e.AtMS, out.variant).count(e.Action, out.first)
		default:
			b.statsOf(e.Popup, e.AtMS, e.Variant).count(e.Action, out.first)
		}
	}
	for _, g := range b.lateGoals {
		b.statsOf(g.popup, g.atMS, g.exposure.variant).count(popup.Goal, true)
	}
}

func (s *statsRow) count(a popup.Action, first bool) {
	var n uint64
	if first {
		n = 1
	}
	switch a {
	case popup.Impression:
		s.impressions++
		s.users += n
	case popup.Click:
		s.clicks++
		s.clickUsers += n
	case popup.Dismiss:
		s.dismisses++
	case popup.Convert, popup.Goal:
		s.converts++
		s.convertUsers += n
	case popup.Control:
		s.controls++
		s.controlUsers += n
	case popup.View:
		s.views++
	case popup.Release:
		s.releases++
	}
}

// statsOf returns the row of a popup, the hour of a time, and a variant. A batch has
// few of them, so a sorted slice is index enough.
func (b *batchSums) statsOf(id uint32, atMS int64, variant []byte) *statsRow {
	hour := b.hourOf(atMS)
	i, found := slices.BinarySearchFunc(b.stats, variant, func(s statsRow, variant []byte) int {
		return cmp.Or(cmp.Compare(s.popup, id), cmp.Compare(s.hourMS, hour), bytes.Compare(s.variant, variant))
	})
	if !found {
		b.stats = slices.Insert(b.stats, i, statsRow{popup: id, hourMS: hour, variant: variant})
	}
	return &b.stats[i]
}

// hourOf returns when the hour of a time begins in the zone of the statistics.
func (b *batchSums) hourOf(atMS int64) int64 {
	if atMS < b.hourFromMS || atMS >= b.hourToMS {
		b.hourFromMS, b.hourToMS = popup.HourOf(atMS, b.zone)
	}
	return b.hourFromMS
}
