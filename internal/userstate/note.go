package userstate

import (
	"encoding/json"
	"maps"

	"github.com/popupd/popupd/popup"
)

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
