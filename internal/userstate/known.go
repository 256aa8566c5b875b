package userstate

import (
	"encoding/json"
	"maps"
	"math"
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
//     was not or has a goal that counts for longer, a popup comes back, the least gap is
//     longer, memory was short) all is read again.
//   - The store finds the rest: events that were removed, a database of the past.
type known struct {
	mu            sync.Mutex // guards all
	whole         bool       // a full read is contained; if not, nothing counts as known
	caught        bool       // this process has read the database: what its journal lacks is contained, too
	reading       bool       // from the begin of a restore until one has succeeded
	streams       map[popup.StreamID]*heard
	persist.Known        // but for Seqs
	latestMS      int64  // the latest time by which the table dropped entries
	refused       uint64 // states that the table had refused when the latest full read began

	// For how long the table keeps entries, and the least of it since the latest full read.
	keeps, kept map[uint32]int64 // ms after the impression, by popup
	newest      uint32           // the greatest id of a popup that was ever in keeps; one up to it that is not in kept was dropped
	keptGapMS   int64            // after the user saw any popup

	// Each counts what makes void what has begun before it.
	fullReads, forgets, policies int
}

// heard is what is known of one stream.
type heard struct {
	seq      uint64 // everything up to it
	from, to uint64 // and these events, behind a hole; 0: none
	lately   bool   // since the latest restore
}

const (
	forEver = math.MaxInt64 // how long the impressions of a popup are kept that limits them
	dropped = -1            // not even while they wait: the popup was archived, or not known
)

func newKnown() *known {
	return &known{streams: make(map[popup.StreamID]*heard), kept: make(map[uint32]int64)}
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
	switch {
	case last <= h.seq:
	case first <= h.seq+1:
		h.reach(last)
	case h.to > 0 && first <= h.to+1 && last+1 >= h.from:
		h.from, h.to = min(h.from, first), max(h.to, last)
	default:
		missed = h.to == 0 && k.caught && !k.reading // else restored says so
		h.from, h.to = first, last
	}
	return missed
}

// reach says that everything up to seq is known.
func (h *heard) reach(seq uint64) {
	h.seq = max(h.seq, seq)
	if h.to > 0 && h.from <= h.seq+1 {
		h.seq = max(h.seq, h.to)
		h.from, h.to = 0, 0
	}
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
	allRefused = "memory was short"
	allEarlier = "the clock was set back"
)

// reading is how known stands when a restore begins.
type reading struct {
	all               string // why all is read; "" if changes are enough
	refused           uint64
	gapMS             int64
	forgets, policies int
}

// beginRead returns what restored needs to know of a restore that begins at nowMS, and
// what that need not read again: nil if it must read all. refused is how many states the
// table has refused by now.
func (k *known) beginRead(refused uint64, gap time.Duration, nowMS int64) (reading, *persist.Known) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reading = true
	r := reading{refused: refused, gapMS: gap.Milliseconds(), forgets: k.forgets, policies: k.policies}
	switch {
	case !k.whole:
		r.all = allUnknown
	case refused != k.refused:
		r.all = allRefused
	case nowMS < k.latestMS-popup.KeepAfterWait.Milliseconds():
		r.all = allEarlier
	case r.gapMS > k.keptGapMS || k.keepsLongerLocked():
		r.all = allLonger
	default:
		c := k.Known
		c.Seqs = k.seqsLocked()
		return r, &c
	}
	return r, nil
}

func (k *known) keepsLongerLocked() bool {
	for id, ms := range k.keeps {
		if ms > k.kept[id] {
			return true
		}
	}
	return false
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
		k.latestMS, k.refused, k.keptGapMS = nowMS, r.refused, r.gapMS
		k.fullReads++
		if r.policies == k.policies { // else what was read may be dropped already
			k.fullyKeptLocked(f.Limited)
		}
	} else {
		k.latestMS = max(k.latestMS, nowMS) // what did not matter then was left out
	}
	for id, last := range f.Committed {
		k.streamLocked(id).reach(last)
	}
	for id, h := range k.streams {
		if _, ok := f.Committed[id]; !ok && !h.lately {
			delete(k.streams, id)
			continue
		}
		if h.to > 0 && !h.lately {
			h.from, h.to = 0, 0
		}
		h.lately = false
		holes = holes || h.to > 0
	}
	return holes
}

// forget says that the database may know what is known no more.
func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.whole = false
	k.forgets++
}

// fullyKeptLocked says that all was read that popups ask to keep. limited are those whose
// impressions were read whatever their age.
func (k *known) fullyKeptLocked(limited []uint32) {
	for id, ms := range k.keeps {
		if ms != forEver || slices.Contains(limited, id) {
			k.kept[id] = ms
		}
	}
}

// swept says that entries may have been dropped that do not matter at nowMS, with this
// least gap.
func (k *known) swept(nowMS int64, gap time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.latestMS = max(k.latestMS, nowMS)
	k.keptGapMS = min(k.keptGapMS, gap.Milliseconds())
	if k.keeps == nil { // without popups nothing is kept for longer than it waits
		clear(k.kept)
	}
}

// setKeeps says for how long after an impression the states of each popup are kept, ms.
// Of a popup that is new nothing was dropped yet.
func (k *known) setKeeps(keeps map[uint32]int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !maps.Equal(keeps, k.keeps) {
		k.policies++
	}
	kept := least(keeps, k.kept)
	k.markDroppedLocked(kept)
	k.keeps, k.kept = keeps, kept
	for id := range keeps {
		k.newest = max(k.newest, id)
	}
}

// markDroppedLocked corrects kept for popups that are not new and were not kept.
func (k *known) markDroppedLocked(kept map[uint32]int64) {
	for id := range kept {
		if _, ok := k.kept[id]; !ok && id <= k.newest {
			kept[id] = dropped
		}
	}
}

// least returns the lesser of both for each popup of a.
func least(a, b map[uint32]int64) map[uint32]int64 {
	m := maps.Clone(a)
	for id, ms := range b {
		if old, ok := m[id]; ok {
			m[id] = min(old, ms)
		}
	}
	return m
}

// note is what a dump keeps of known beside the streams' positions, in JSON.
type note struct {
	Version   int               `json:"version"`
	Committed map[string]uint64 `json:"committed"` // by stream
	QuietMS   int64             `json:"quiet_ms"`
	Kept      map[uint32]int64  `json:"kept_ms"` // by popup
	Newest    uint32            `json:"newest"`  // popup
	LatestMS  int64             `json:"latest_ms"`
	MinGapMS  int64             `json:"min_gap_ms"`
}

const noteVersion = 1

// dumping is how known stands when a dump begins.
type dumping struct {
	fullReads int
	kept      map[uint32]int64
}

// beginDump returns what note needs to know of a dump that begins, and the positions that
// it covers beside those of the journal.
func (k *known) beginDump() (dumping, map[popup.StreamID]uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return dumping{k.fullReads, maps.Clone(k.kept)}, k.seqsLocked()
}

// note returns the note of a dump whose entries are written, nil if not everything was
// known all the time. refused is how many states the table has refused by now.
func (k *known) note(d dumping, refused uint64) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.whole || !k.caught || d.fullReads != k.fullReads || refused != k.refused {
		return nil
	}
	n := note{
		Version: noteVersion, Committed: make(map[string]uint64, len(k.Committed)), QuietMS: k.QuietMS,
		LatestMS: k.latestMS, MinGapMS: k.keptGapMS, Kept: least(k.kept, d.kept), Newest: k.newest,
	}
	for id, last := range k.Committed {
		n.Committed[id.String()] = last
	}
	text, err := json.Marshal(n)
	if err != nil {
		return nil // a map of numbers: it cannot be
	}
	return text
}

// loaded takes over what the dump that was loaded knows. A clock that is behind it brings
// back what was dropped.
func (k *known) loaded(at map[popup.StreamID]uint64, text []byte, nowMS int64) {
	var n note
	if json.Unmarshal(text, &n) != nil || n.Version != noteVersion || nowMS < n.LatestMS-popup.KeepAfterWait.Milliseconds() {
		return
	}
	committed := make(map[popup.StreamID]uint64, len(n.Committed))
	for s, last := range n.Committed {
		id, err := popup.ParseStreamID(s)
		if err != nil {
			return
		}
		committed[id] = last
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.whole, k.Committed, k.QuietMS, k.latestMS, k.keptGapMS = true, committed, n.QuietMS, n.LatestMS, n.MinGapMS
	for id, ms := range k.kept {
		then, ok := n.Kept[id]
		switch {
		case ok:
			k.kept[id] = min(ms, then)
		case id <= n.Newest:
			k.kept[id] = dropped
		}
	}
	if k.keeps == nil { // no popups are known yet
		maps.Copy(k.kept, n.Kept)
	}
	k.newest = max(k.newest, n.Newest)
	for id, seq := range at {
		k.streamLocked(id).reach(seq)
	}
}
