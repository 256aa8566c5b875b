package snapshot

import (
	"math/bits"
	"slices"

	"github.com/popupd/popupd/popup"
)

// places finds the popups of a segment by their ids.
type places struct {
	first uint32  // id
	of    []place // by id, from first on
}

// place is where a popup is, and how often a user may see it.
type place struct {
	next uint32 // position; 0: no popup has this id
	most uint32 // impressions; 0: no limit
}

// A segment with fewer than minPlaces popups has no places, nor has one whose ids span
// placesSpread times as many numbers or more: its popups are looked at one by one.
const (
	minPlaces    = 32
	placesSpread = 32
)

func newPlaces(popups []*Popup) places {
	if len(popups) < minPlaces {
		return places{}
	}
	first, last := popups[0].ID, popups[0].ID
	for _, p := range popups {
		first, last = min(first, p.ID), max(last, p.ID)
	}
	if int(last-first) >= placesSpread*len(popups) {
		return places{}
	}
	t := places{first, make([]place, last-first+1)}
	for i, p := range popups {
		t.of[p.ID-first] = place{uint32(i + 1), p.Frequency.MaxImpressions}
	}
	return t
}

// words returns the size of a bitmap of the segment.
func (s *segment) words() int { return (len(s.popups) + 63) / 64 }

// skip is the popups of a segment that a cursor leaves out.
type skip struct {
	words []skipWord
	user  []byte
	Skipped
}

// skipWord is the popups of a word that the user waits for: those of them with the reasons
// CooldownClick and CooldownDismiss, the others have CooldownImpression, and those that are
// stopped for ever.
type skipWord struct{ all, click, dismiss, forever uint64 }

// Skipped tells of the popups that fit the request and that [Matches.Next] has left out: the
// first in selection order of each reason, and the first that is not stopped for ever; nil if
// there is none.
type Skipped struct{ Click, Dismiss, Impression, Ends *Popup }

// Left returns about how many popups are left for [Matches.Next] of which Skip may leave out
// some: those of the batches that cursors have begun, and as many for each batch that is yet to
// come.
func (m *Matches) Left() (n int) {
	for i := range m.cursors {
		c := &m.cursors[i]
		if c.segment.places.of == nil {
			continue
		}
		left, words := 0, 0
		for _, fit := range c.fit[c.i:max(c.i, c.words)] {
			left += bits.OnesCount64(fit)
		}
		switch {
		case c.isWhole:
		case c.isDriven:
			words = len(c.driver)
		default:
			words = len(c.open) - int(c.next)
		}
		n += left + left*words/batchWords
	}
	return n
}

// Skip has [Matches.Next] leave out the popups that a user waits for, but those of segments
// without places. [Matches.Skipped] tells of those that fit; [Matches.Reason] does not.
func (m *Matches) Skip(waits []popup.Wait) {
	size, skips := 0, 0
	for i := range m.cursors {
		if s := m.cursors[i].segment; s.places.of != nil {
			size, skips = size+s.words(), skips+1
		}
	}
	m.skipWords = slices.Grow(m.skipWords[:0], size)[:size]
	m.skips = slices.Grow(m.skips[:0], skips)
	clear(m.skipWords)
	words := m.skipWords
	for i := range m.cursors {
		c := &m.cursors[i]
		if c.segment.places.of == nil {
			continue
		}
		n := c.segment.words()
		m.skips = append(m.skips, skip{words: words[:n], user: m.user})
		words = words[n:]
		c.skip = &m.skips[len(m.skips)-1]
		c.skip.add(&c.segment.places, waits)
	}
}

// add adds the popups of waits.
func (s *skip) add(places *places, waits []popup.Wait) {
	words, of := s.words, places.of
	for _, w := range waits {
		id := uint(w.Popup() - places.first)
		if id >= uint(len(of)) || of[id].next == 0 {
			continue
		}
		at, most := of[id].next-1, of[id].most
		word, bit := &words[at/64], uint64(1)<<(at%64)
		word.all |= bit
		if w.IsUsual() && most == 0 {
			continue
		}
		switch w.Reason() {
		case popup.CooldownClick:
			word.click |= bit
		case popup.CooldownDismiss:
			word.dismiss |= bit
		}
		if w.Forever() || most > 0 && w.Seen() >= most {
			word.forever |= bit
		}
	}
}

// pass returns what is left of the popups of a word that fit, without those before the
// first that is not skipped.
func (s *skip) pass(of *segment, at uint32, fit uint64) uint64 {
	w := &s.words[at]
	passed := fit
	if others := fit &^ w.all; others != 0 {
		passed &= others&-others - 1
	}
	if of.partial != nil {
		for left := passed & of.partial[at]; left != 0; left &= left - 1 {
			if !of.popups[int(at)*64+bits.TrailingZeros64(left)].inRollout(s.user) { // it does not fit
				passed &= left&-left - 1
				break
			}
		}
	}
	if passed != 0 {
		s.note(&s.Click, of, at, passed&w.click)
		s.note(&s.Dismiss, of, at, passed&w.dismiss)
		s.note(&s.Impression, of, at, passed&^(w.click|w.dismiss))
		s.note(&s.Ends, of, at, passed&^w.forever)
	}
	return fit &^ passed
}

// note sets first to the first of some popups of a word, unless an earlier one is known.
func (s *skip) note(first **Popup, of *segment, at uint32, popups uint64) {
	if *first == nil && popups != 0 {
		*first = of.popups[int(at)*64+bits.TrailingZeros64(popups)]
	}
}

// Skipped tells which popups have been left out so far.
func (m *Matches) Skipped() (all Skipped) {
	for i := range m.skips {
		s := &m.skips[i].Skipped
		all.Click, all.Dismiss = earlier(all.Click, s.Click), earlier(all.Dismiss, s.Dismiss)
		all.Impression, all.Ends = earlier(all.Impression, s.Impression), earlier(all.Ends, s.Ends)
	}
	return all
}

// earlier returns the first of two popups in selection order, either of which may be nil.
func earlier(a, b *Popup) *Popup {
	if a == nil || b != nil && selectionOrder(b, a) < 0 {
		return b
	}
	return a
}
