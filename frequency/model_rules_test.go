package frequency

import (
	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// model is the table as one would first write it: a map, and every rule spelled
// out in milliseconds.
type model struct {
	gapMS  int64
	keep   map[uint32]Keep
	swept  int64 // when
	states map[modelKey]popup.State
	resets map[string]int64 // by user: the tick of the latest
}

type modelKey struct {
	user string
	id   uint32
}

// down and up round as the table does, in which latest is the last time of all.
func down(ms int64) int64 {
	switch {
	case ms < epochMS+tickMS:
		return 0
	case ms >= never.ms0():
		return latest.ms()
	}
	return ms - (ms-epochMS)%tickMS
}

// ms0 returns the start of the tick, also that of never.
func (t tick) ms0() int64 { return epochMS + int64(t)*tickMS }

func up(ms int64) int64 {
	switch {
	case ms <= epochMS:
		return 0
	case ms > (never - 1).ms0():
		return popup.Never
	}
	return epochMS + (ms-epochMS+tickMS-1)/tickMS*tickMS
}

func rounded(s popup.State) popup.State {
	late := int64(0)
	if s.AtMS >= never.ms0() {
		late = s.AtMS - latest.ms()
	}
	for _, until := range []*int64{&s.ClickUntilMS, &s.NextAtMS} {
		if *until < popup.Never {
			*until = up(*until - late)
		}
	}
	s.ServedAtMS, s.ShownAtMS, s.AtMS = down(s.ServedAtMS), down(s.ShownAtMS), down(s.AtMS)
	return s
}

// event merges what an event says, in which a wait of nothing is none, where the
// table takes waits for over that end by overMS.
func (m *model) event(k modelKey, ev *popup.Event, overMS int64) {
	s := ev.State()
	if s.NextAtMS <= s.AtMS {
		s.NextAtMS, s.ClickUntilMS = 0, 0
	}
	m.merge(k, s, overMS)
}

func (m *model) merge(k modelKey, s popup.State, overMS int64) {
	if down(s.ServedAtMS) <= m.resets[k.user] {
		return
	}
	have := m.states[k]
	have.Merge(rounded(s))
	m.states[k] = forgotten(have, min(have.AtMS, down(overMS)))
}

// repeat fails unless a repeated action asks for the waits of the state, settled as of
// now, and changes no wait and no gap.
func (m *model) repeat(t *rapid.T, k modelKey, ev *popup.Event, settled popup.State) {
	said := rounded(ev.State())
	isLate := ev.AtMS >= never.ms0()
	switch {
	case isLate, ev.Action == popup.Release:
	case ev.Action != popup.View && said.ClickUntilMS != settled.ClickUntilMS,
		ev.Action == popup.View && settled.Acted&popup.Unconfirmed != 0 && said.NextAtMS != settled.NextAtMS:
		t.Fatalf("a repeat says %+v\nof              %+v", said, settled)
	}
	before := m.states[k]
	after := before
	after.Merge(said)
	after.Last, after.AtMS = before.Last, before.AtMS
	if before.ShownAtMS < before.ServedAtMS { // a wrong clock was put right: an impression was moved, its name was not
		after.ShownAtMS = before.ShownAtMS
	}
	if after != before {
		t.Fatalf("a repeat makes %+v\nof             %+v", after, before)
	}
}

// forgotten drops waits that are over.
func forgotten(s popup.State, now int64) popup.State {
	if s.ClickUntilMS <= now {
		s.ClickUntilMS = 0
	}
	if s.NextAtMS <= now {
		s.NextAtMS = 0
	}
	return s
}

// settled moves a state from the future to now.
func settled(s popup.State, now int64) popup.State {
	now = down(now)
	limit := now + minute
	if s.AtMS > limit {
		for _, until := range []*int64{&s.ClickUntilMS, &s.NextAtMS} {
			if *until >= s.AtMS && *until != popup.Never {
				*until -= s.AtMS - now
			}
		}
	}
	if s.AtMS > limit || s.ShownAtMS > limit {
		s.ShownAtMS = min(s.ShownAtMS, now)
	}
	if s.AtMS > limit {
		s.AtMS = now
	}
	return s
}

// look settles what a check looks at.
func (m *model) look(k modelKey, now int64) {
	if s, known := m.states[k]; known {
		m.states[k] = settled(s, now)
	}
}

func (m *model) check(k modelKey, f *popup.Frequency, now int64) Verdict {
	var v Verdict
	var capped bool
	m.look(k, now)
	if s, known := m.states[k]; known {
		v.ServedAtMS = s.ServedAtMS
		ready := s.NextAtMS
		if s.ServedAtMS >= down(now)+second && s.ServedAtMS <= s.AtMS+second {
			ready = max(ready, s.ServedAtMS+tickMS-second)
		}
		if now < ready {
			v.ReadyAtMS = ready
			switch {
			case s.NextAtMS == 0 || s.ClickUntilMS != s.NextAtMS:
				v.Reason = popup.CooldownImpression
			case s.Last == popup.Dismiss && s.Acted&(popup.Click.Bit()|popup.Convert.Bit()) == 0:
				v.Reason = popup.CooldownDismiss
			default:
				v.Reason = popup.CooldownClick
			}
		}
		if f.MaxImpressions > 0 && s.Seen() >= f.MaxImpressions {
			v.ReadyAtMS, capped = popup.Never, true
		}
	}
	if v.Reason == popup.Eligible && capped {
		v.Reason = popup.MaxImpressionsSeen
	}
	if m.gapMS > 0 && !f.IgnoreMinGap {
		for other, s := range m.states {
			if other.user != k.user {
				continue
			}
			if s.SeenAtMS() > down(now)+minute {
				m.look(other, now)
				s = m.states[other]
			}
			end := s.SeenAtMS() + tickMS - 1 + m.gapMS
			if s.SeenAtMS() == 0 || now >= end {
				continue
			}
			v.ReadyAtMS = max(v.ReadyAtMS, end)
			if v.Reason == popup.Eligible {
				v.Reason = popup.MinGap
			}
		}
	}
	return v
}

func (m *model) reclaim(now int64) {
	m.swept = now
	for user, at := range m.resets {
		if now >= at+7*day {
			delete(m.resets, user)
		}
	}
	for k, s := range m.states {
		wait := max(s.NextAtMS, s.AtMS)
		gone := now >= wait+hour && wait != popup.Never
		if s.Acted != 0 {
			gone = gone && now >= s.ServedAtMS+7*day
		}
		if m.keep[k.id] == Drop {
			gone = true
		}
		if s.SeenAtMS() != 0 && m.gapMS > 0 {
			gone = gone && now >= s.SeenAtMS()+tickMS-1+m.gapMS
		}
		if gone && m.keep[k.id] != KeepForever {
			delete(m.states, k)
		}
	}
}
