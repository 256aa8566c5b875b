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

// heard is what is known of one stream.
type heard struct {
	seq    uint64 // everything up to it
	ahead  []span // and these events, behind holes, ascending
	lately bool   // since the latest restore
	moved  uint64 // the greatest number since the latest call of endEpoch, with heldOnly; 0: none
	dumped uint64 // likewise, of what the dump had that was loaded, until the lists are read
}

// waits returns up to where not all may be committed that came since the latest call of endEpoch.
func (h *heard) waits() uint64 { return max(h.moved, h.dumped) }

// span is the events from one to another.
type span struct{ from, to uint64 }

// maxAhead is how many spans are told apart behind holes: more than there are while a list is
// read from its end, page by page.
const maxAhead = 8

// retained says for how long the table keeps something of each popup, and the least of
// it since the latest full read.
type retained struct {
	keeps, kept map[uint32]int64 // ms, by popup. Of one that is not new, and not in kept, nothing was kept
}

const (
	forEver = math.MaxInt64 // how long the impressions of a popup are kept that limits them
	dropped = -1            // not even while they wait: the popup was archived, or not known
	notKept = math.MinInt64 // nothing is to be kept: the popup is archived, or no cap covers it
)

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

// endEpoch returns, of the streams of which something was heard since the last call, the last
// event of that, whether or not all before it was heard. It also returns how far each stream was
// known to be committed, 0 for not at all.
func (k *known) endEpoch() (moved, committed map[popup.StreamID]uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	moved, committed = make(map[popup.StreamID]uint64), make(map[popup.StreamID]uint64, len(k.streams))
	for id, h := range k.streams {
		committed[id] = 0
		if seq := h.waits(); seq > 0 {
			moved[id], h.moved, h.dumped = seq, 0, 0
		}
	}
	k.waits = larger(k.waits, moved)
	maps.Copy(committed, k.Committed)
	return moved, committed
}

// listsRead says that what other servers have shipped was heard: what of the dump is neither
// there nor committed, nobody ships but who has it in a journal, and that will be heard.
func (k *known) listsRead() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, h := range k.streams {
		h.dumped = 0
	}
}

// waitFor says for what the epochs that have ended wait.
func (k *known) waitFor(waits map[popup.StreamID]uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waits = waits
}

// larger returns all of a and b, of each stream the larger one.
func larger(a, b map[popup.StreamID]uint64) map[popup.StreamID]uint64 {
	all := maps.Clone(a)
	if all == nil {
		all = make(map[popup.StreamID]uint64)
	}
	for id, seq := range b {
		all[id] = max(all[id], seq)
	}
	return all
}

// add says that the events from first to last are known. Of too many spans the first is known
// no more.
func (h *heard) add(first, last uint64) {
	if first <= h.seq+1 {
		h.reach(last)
		return
	}
	begin := 0
	for begin < len(h.ahead) && h.ahead[begin].to+1 < first {
		begin++
	}
	end := begin
	for ; end < len(h.ahead) && h.ahead[end].from <= last+1; end++ {
		first, last = min(first, h.ahead[end].from), max(last, h.ahead[end].to)
	}
	h.ahead = slices.Replace(h.ahead, begin, end, span{first, last})
	if len(h.ahead) > maxAhead {
		h.ahead = slices.Delete(h.ahead, 0, 1)
	}
}

// reach says that everything up to seq is known.
func (h *heard) reach(seq uint64) {
	h.seq = max(h.seq, seq)
	for len(h.ahead) > 0 && h.ahead[0].from <= h.seq+1 {
		h.seq = max(h.seq, h.ahead[0].to)
		h.ahead = slices.Delete(h.ahead, 0, 1)
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

// isLonger reports whether something is to be kept that may be gone.
func (r *retained) isLonger() bool {
	for id, ms := range r.keeps {
		if ms > r.kept[id] {
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

// committedUpTo says how far streams are committed now, which were as far as endEpoch said. It
// reports whether it is less, so that all has to be read again.
func (k *known) committedUpTo(before, now map[popup.StreamID]uint64) (less bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.whole || !k.caught {
		return false // all is read anyhow, or it is looked at then
	}
	for id, seq := range before {
		less = less || now[id] < seq
	}
	if less {
		k.forgetLocked()
		return true
	}
	k.Committed = larger(k.Committed, now) // a new one: a restore may be reading it
	return false
}

// allRead says that all was read that is to be kept, for ever only of some popups.
func (r *retained) allRead(whateverItsAge func(id uint32) bool) {
	for id, ms := range r.keeps {
		if ms != forEver || whateverItsAge(id) {
			r.kept[id] = ms
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

// set reports whether anything is another than before.
func (r *retained) set(keeps map[uint32]int64, newest uint32) (isOther bool) {
	hasKept := r.kept != nil // else nothing was kept yet to be dropped
	if r.keeps == nil {
		r.keeps = make(map[uint32]int64, len(keeps))
		kept := make(map[uint32]int64, len(keeps)) // of others nothing is kept any more
		for id := range keeps {
			if ms, ok := r.kept[id]; ok {
				kept[id] = ms
			}
		}
		r.kept = kept
	}
	for id, ms := range keeps {
		switch last, was := r.keeps[id]; {
		case ms == notKept:
			isOther = isOther || was
			delete(r.keeps, id)
			delete(r.kept, id)
			continue
		case was && last == ms:
			continue
		}
		isOther = true
		r.keeps[id] = ms
		switch kept, ok := r.kept[id]; {
		case ok:
			r.kept[id] = min(kept, ms)
		case hasKept && id <= newest:
			r.kept[id] = dropped
		default:
			r.kept[id] = ms
		}
	}
	return isOther
}

// loaded takes over what a dump had kept, of popups up to newest.
func (r *retained) loaded(then map[uint32]int64, newest uint32) {
	for id, ms := range r.kept {
		old, ok := then[id]
		switch {
		case ok:
			r.kept[id] = min(ms, old)
		case id <= newest:
			r.kept[id] = dropped
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
	Kept      map[uint32]int64  `json:"kept_ms"`             // by popup
	Seen      map[uint32]int64  `json:"kept_impressions_ms"` // by popup
	Newest    uint32            `json:"newest"`              // popup
	LatestMS  int64             `json:"latest_ms"`
	MinGapMS  int64             `json:"min_gap_ms"`
	Waits     map[string]uint64 `json:"waits"` // by stream, with heldOnly: of what the dump has up to here not all may be committed
}

// A note of another version says nothing but Waits.
const noteVersion = 1

// dumping is how known stands when a dump begins.
type dumping struct {
	fullReads  int
	kept, seen map[uint32]int64
}

// beginDump returns what note needs to know of a dump that begins, and the positions that
// it covers beside those of the journal.
func (k *known) beginDump() (dumping, map[popup.StreamID]uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return dumping{k.fullReads, maps.Clone(k.entries.kept), maps.Clone(k.impressions.kept)}, k.seqsLocked()
}

// note returns the note of a dump whose entries are written, nil if there is nothing to say: not
// everything was known all the time. lost is how many states the table has lost by now.
func (k *known) note(d dumping, lost uint64) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	var n note
	switch {
	case k.whole && k.caught && d.fullReads == k.fullReads && (k.heldOnly || lost == k.lost):
		n = note{
			Version: noteVersion, Committed: byName(k.Committed), QuietMS: k.QuietMS,
			LatestMS: k.latestMS, MinGapMS: k.keptGapMS, Newest: k.newest,
			Kept: least(k.entries.kept, d.kept), Seen: least(k.impressions.kept, d.seen),
		}
	case !k.heldOnly:
		return nil
	}
	if k.heldOnly {
		waits := larger(k.waits, nil)
		for id, h := range k.streams {
			if seq := h.waits(); seq > 0 {
				waits[id] = max(waits[id], seq)
			}
		}
		n.Waits = byName(waits)
	}
	text, err := json.Marshal(n)
	if err != nil {
		return nil // a map of numbers: it cannot be
	}
	return text
}

func byName(streams map[popup.StreamID]uint64) map[string]uint64 {
	names := make(map[string]uint64, len(streams))
	for id, seq := range streams {
		names[id.String()] = seq
	}
	return names
}

func byID(names map[string]uint64) (map[popup.StreamID]uint64, error) {
	streams := make(map[popup.StreamID]uint64, len(names))
	for name, seq := range names {
		id, err := popup.ParseStreamID(name)
		if err != nil {
			return nil, err
		}
		streams[id] = seq
	}
	return streams, nil
}

// loaded takes over what the dump that was loaded knows. A clock that is behind it brings
// back what was dropped.
func (k *known) loaded(at map[popup.StreamID]uint64, text []byte, nowMS int64) {
	var n note
	usable := json.Unmarshal(text, &n) == nil && n.Version == noteVersion && nowMS >= n.LatestMS-popup.KeepAfterWait.Milliseconds()
	committed, err := byID(n.Committed)
	usable = usable && err == nil
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.heldOnly {
		waits, err := byID(n.Waits)
		if n.Waits == nil || err != nil { // of a server that held everybody
			waits = at
		}
		for id, seq := range waits {
			k.streamLocked(id).dumped = seq
		}
	}
	if !usable {
		return
	}
	k.whole, k.Committed, k.QuietMS, k.latestMS, k.keptGapMS = true, committed, n.QuietMS, n.LatestMS, n.MinGapMS
	k.entries.loaded(n.Kept, n.Newest)
	k.impressions.loaded(n.Seen, n.Newest)
	if k.entries.keeps == nil { // no popups are known yet: no cap has kept an impression of the dump
		maps.Copy(k.entries.kept, n.Kept)
	}
	k.newest = max(k.newest, n.Newest)
	for id, seq := range at {
		k.streamLocked(id).reach(seq)
	}
}
