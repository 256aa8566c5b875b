package userstate

import (
	"slices"
	"sync"
	"time"

	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

// known says which events the table is known to contain, with all that follows from
// them, so that a restore reads only the changes since. Nothing that matters is missed:
//
//   - All begins with a full read. In its transaction it reads how far each stream is
//     committed: the table then contains each stream up to there.
//   - A stream's seq moves on when the next events are merged: heard from the channel or
//     read from the lists without a hole in the numbers, or journaled by this server.
//   - A restore by change reads, in one transaction, how far each stream is committed
//     now, and for each event above the known seq its row of user_popup, which is the
//     merge of all events of that user and popup. Resets are always read.
//   - What the table drops is forgotten on purpose by the clock and the popups of then.
//     Where that may have been too much (the clock was set back, a popup is limited that
//     was not, has a goal that counts for longer or caps that do, a popup comes back, the
//     least gap is longer, memory was short) all is read again.
//   - The store finds the rest: events that were removed, a database of the past.
//
// Where users are held, all that is said of the table is said of those who are. A full read
// then reads nothing: nobody is held any more, see [frequency.Table.Unhold].
type known struct {
	heldOnly bool // of users who are held alone

	mu            sync.Mutex // guards what follows
	whole         bool       // a full read is contained; if not, nothing counts as known
	caught        bool       // this process has read the database, whole or what had changed
	reading       bool       // from the begin of a restore until one has succeeded
	streams       map[popup.StreamID]*heard
	waits         map[popup.StreamID]uint64 // of what was heard in epochs that have ended, up to where not all is committed
	persist.Known                           // but for Seqs
	latestMS      int64                     // the latest time by which the table dropped entries
	lost          uint64                    // states that the table had lost when the latest full read began

	entries     retained // ms after the impression
	impressions retained // for caps; 0: of popups that are not known
	newest      uint32   // the greatest id of all popups that were ever known
	keptGapMS   int64    // for how long the table kept entries after the user saw any popup

	// Each counts what makes void what has begun before it.
	fullReads, forgets, policies int
}

func newKnown(heldOnly bool) *known {
	return &known{heldOnly: heldOnly, streams: make(map[popup.StreamID]*heard), entries: retained{kept: make(map[uint32]int64)}}
}

func (k *known) streamLocked(id popup.StreamID) *heard {
	h := k.streams[id]
	if h == nil {
		h = new(heard)
		k.streams[id] = h
	}
	return h
}

// hear says that the events from first to last of a stream are merged. It reports
// whether events before them were missed, and no restore asks for them yet.
func (k *known) hear(id popup.StreamID, first, last uint64) (missed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := k.streamLocked(id)
	h.lately = true
	if k.heldOnly {
		h.moved = max(h.moved, last)
	}
	hadHoles := len(h.ahead) > 0
	h.add(first, last)
	return len(h.ahead) > 0 && !hadHoles && k.caught && !k.reading // else restored says so
}

// journaled says that this server's journal, and with it the table, holds a stream up
// to last.
func (k *known) journaled(id popup.StreamID, last uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := k.streamLocked(id)
	h.lately = true
	h.reach(last)
}

// Reasons for which all is read, in the log.
const (
	allUnknown = "nothing is known yet"
	allLonger  = "states are kept for longer than they were"
	allLost    = "memory was short"
	allEarlier = "the clock was set back"
)

// reading is how known stands when a restore begins.
type reading struct {
	all               string // why all is read; "" if changes are enough
	again             bool   // for the second time in this process: what was known was forgotten
	committed         map[popup.StreamID]uint64
	lost              uint64
	gapMS             int64
	forgets, policies int
}

// isPast reports whether the database may have less than it had.
func (r *reading) isPast(f *persist.Found) bool {
	past := f.Past || r.again
	for id, seq := range r.committed {
		if now, ok := f.Committed[id]; ok && now < seq { // else the stream is over
			past = true
		}
	}
	return past
}

// beginRead returns what restored needs to know of a restore that begins at nowMS, and
// what that need not read again: nil if it must read all. lost is how many states the
// table has lost by now.
func (k *known) beginRead(lost uint64, gap time.Duration, nowMS int64) (reading, *persist.Known) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reading = true
	r := reading{lost: lost, gapMS: gap.Milliseconds(), forgets: k.forgets, policies: k.policies, committed: k.Committed}
	switch {
	case !k.whole:
		r.all, r.again = allUnknown, k.caught
	case lost != k.lost && !k.heldOnly: // else those are not held of whom something is lost
		r.all = allLost
	case nowMS < k.latestMS-popup.KeepAfterWait.Milliseconds():
		r.all = allEarlier
	case r.gapMS > k.keptGapMS || k.entries.isLonger() || k.impressions.isLonger():
		r.all = allLonger
	default:
		c := k.Known
		c.Seqs = k.seqsLocked()
		return r, &c
	}
	return r, nil
}

func (k *known) seqsLocked() map[popup.StreamID]uint64 {
	at := make(map[popup.StreamID]uint64, len(k.streams))
	for id, h := range k.streams {
		if h.seq > 0 {
			at[id] = h.seq
		}
	}
	return at
}

// restored says what a restore at nowMS has found, all of which is merged. Streams that
// are over are left out from now on. It reports whether holes remain. One that is there
// after the next restore, too, counts as a hole again only once more is heard.
func (k *known) restored(r reading, f *persist.Found, nowMS int64) (holes bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.whole, k.caught, k.reading = r.forgets == k.forgets, true, false
	k.Committed, k.QuietMS = f.Committed, f.QuietMS
	if f.Full != "" {
		k.latestMS, k.lost, k.keptGapMS = nowMS, r.lost, r.gapMS
		k.fullReads++
		if r.policies == k.policies { // else what was read may be dropped already
			k.entries.allRead(func(id uint32) bool { return slices.Contains(f.Limited, id) })
			k.impressions.allRead(func(uint32) bool { return true })
		}
	} else {
		k.latestMS = max(k.latestMS, nowMS) // what did not matter then was left out
	}
	if k.heldOnly && r.isPast(f) { // what was committed and is no more is in no look-up, and may be forgotten here
		for id, h := range k.streams {
			holes = holes || h.seq > f.Committed[id] || len(h.ahead) > 0
			h.seq, h.ahead = min(h.seq, f.Committed[id]), nil
		}
	}
	for id, last := range f.Committed {
		k.streamLocked(id).reach(last)
	}
	for id, h := range k.streams {
		if _, ok := f.Committed[id]; !ok && !h.lately && h.waits() == 0 {
			delete(k.streams, id)
			continue
		}
		if !h.lately {
			h.ahead = nil
		}
		h.lately = false
		holes = holes || len(h.ahead) > 0
	}
	return holes
}

// forget says that the database may know what is known no more.
func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgetLocked()
}

func (k *known) forgetLocked() {
	k.whole = false
	k.forgets++
}

// swept says that entries may have been dropped that do not matter at nowMS, with this
// least gap.
func (k *known) swept(nowMS int64, gap time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.latestMS = max(k.latestMS, nowMS)
	k.keptGapMS = min(k.keptGapMS, gap.Milliseconds())
	if k.entries.keeps == nil { // without popups nothing is kept for longer than it waits
		clear(k.entries.kept)
	}
}

// setKeeps says for how long after an impression the entries of popups are kept, ms, and
// for how long their impressions are, for caps: of all popups at first, then of those of
// which it may have changed. Of a popup that is new nothing was dropped yet.
func (k *known) setKeeps(entries, impressions map[uint32]int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	isOther := k.entries.set(entries, k.newest)
	if k.impressions.set(impressions, k.newest) || isOther {
		k.policies++
	}
	for id := range entries {
		k.newest = max(k.newest, id)
	}
}
