package snapshot

import (
	"math/bits"
	"slices"

	"github.com/popupd/popupd/popup"
)

// idTable finds the popups of a segment by their ids.
type idTable struct {
	first   uint32 // id
	entries []idEntry
}

// idEntry is of the id that is as many above the first as its index.
type idEntry struct {
	after uint32 // the position of the popup, plus 1; 0: none has this id
	most  uint32 // impressions that a user may have; 0: no limit
}

// A segment with fewer popups than minInTable has no table, nor has one whose ids span
// maxSpread times as many numbers or more: its popups are looked at one by one.
const (
	minInTable = 32
	maxSpread  = 32
)

func newIDTable(popups []*Popup) idTable {
	if len(popups) < minInTable {
		return idTable{}
	}
	first, last := popups[0].ID, popups[0].ID
	for _, p := range popups {
		first, last = min(first, p.ID), max(last, p.ID)
	}
	if int(last-first) >= maxSpread*len(popups) {
		return idTable{}
	}
	t := idTable{first, make([]idEntry, last-first+1)}
	for i, p := range popups {
		t.entries[p.ID-first] = idEntry{uint32(i + 1), p.Frequency.MaxImpressions}
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
		if c.segment.ids.entries == nil {
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
// without a table of ids. [Matches.Skipped] tells of those that fit; [Matches.Reason] does not.
func (m *Matches) Skip(waits []popup.Wait) {
	size, skips := 0, 0
	for i := range m.cursors {
		if s := m.cursors[i].segment; s.ids.entries != nil {
			size, skips = size+s.words(), skips+1
		}
	}
	m.skipWords = slices.Grow(m.skipWords[:0], size)[:size]
	m.skips = slices.Grow(m.skips[:0], skips)
	clear(m.skipWords)
	words := m.skipWords
	for i := range m.cursors {
		c := &m.cursors[i]
		if c.segment.ids.entries == nil {
			continue
		}
		n := c.segment.words()
		m.skips = append(m.skips, skip{words: words[:n], user: m.user})
		words = words[n:]
		c.skip = &m.skips[len(m.skips)-1]
		c.skip.add(&c.segment.ids, waits)
	}
}

// add adds the popups of waits.
func (s *skip) add(ids *idTable, waits []popup.Wait) {
	words, entries := s.words, ids.entries
	for _, w := range waits {
		i := uint(w.Popup() - ids.first)
		if i >= uint(len(entries)) || entries[i].after == 0 {
			continue
		}
		at, most := entries[i].after-1, entries[i].most
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

// trim returns what is left of the popups of a word that fit, without those before the
// first that is not skipped.
func (s *skip) trim(of *segment, at uint32, fit uint64) uint64 {
	w := &s.words[at]
	skipped := fit
	if others := fit &^ w.all; others != 0 {
		skipped &= others&-others - 1
	}
	if of.partial != nil {
		for left := skipped & of.partial[at]; left != 0; left &= left - 1 {
			if !of.popups[int(at)*64+bits.TrailingZeros64(left)].inRollout(s.user) { // it does not fit
				skipped &= left&-left - 1
				break
			}
		}
	}
	if skipped != 0 {
		s.note(&s.Click, of, at, skipped&w.click)
		s.note(&s.Dismiss, of, at, skipped&w.dismiss)
		s.note(&s.Impression, of, at, skipped&^(w.click|w.dismiss))
		s.note(&s.Ends, of, at, skipped&^w.forever)
	}
	return fit &^ skipped
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
