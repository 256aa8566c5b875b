package handler

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
)

// A client that repeats a poll under the same request id, because the answer was lost,
// gets the same answer again, and no second impression.
const (
	repeatLife = 30 * time.Second

	minRID, maxRID = 8, 64 // bytes

	repeatShards = 4096
	repeatSlots  = 8 // in each shard
)

// repeats remembers the answers to polls with a request id, as far as they had a popup.
// Its memory is bounded: in each shard a new answer takes the place of the oldest.
type repeats struct {
	seeds  [2]maphash.Seed
	once   sync.Once // makes the shards, since many deployments have no request ids
	shards []repeatShard
}

type repeatShard struct {
	mu      sync.Mutex
	decided sync.Cond // a poll of the shard has been decided
	slots   [repeatSlots]repeat
}

// repeatKey is a hash of a poll's user, placements and request id.
type repeatKey [2]uint64

// repeat is what answers a poll again.
type repeat struct {
	key         repeatKey
	atMS        int64 // when it was first sent
	state       repeatState
	winners     uint8
	nextPollSec uint16
	winner      [popup.MaxRequestPlacements]decision.Winner
}

type repeatState uint8

const (
	slotFree repeatState = iota
	slotPending
	slotAnswered
)

func newRepeats() *repeats {
	return &repeats{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func (r *repeats) grow() {
	r.shards = make([]repeatShard, repeatShards)
	for i := range r.shards {
		r.shards[i].decided.L = &r.shards[i].mu
	}
}

// keyOf returns the key of a poll.
func (r *repeats) keyOf(q *pollRequest) (key repeatKey) {
	for i := range key {
		var h maphash.Hash
		h.SetSeed(r.seeds[i])
		writeText(&h, q.rid)
		writeText(&h, q.User)
		for _, name := range q.PlacementNames() {
			writeText(&h, name)
		}
		key[i] = h.Sum64()
	}
	return key
}

// writeText adds a text and its length, so that no two lists of texts are the same bytes.
func writeText(h *maphash.Hash, text []byte) {
	h.WriteByte(byte(len(text)))
	h.WriteByte(byte(len(text) >> 8))
	h.Write(text)
}

func (r *repeats) shardOf(key repeatKey) *repeatShard {
	r.once.Do(r.grow)
	return &r.shards[key[0]%repeatShards]
}

// recall looks for the answer to a poll that was sent before, and puts it into d. If
// that poll is still being decided, recall waits. If it reports false the caller
// decides and must call keep, whatever comes of it.
func (r *repeats) recall(key repeatKey, d *decision.Decision, nowMS int64) bool {
	s := r.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		slot := s.find(key, nowMS)
		switch {
		case slot == nil:
			s.claim(key, nowMS)
			return false
		case slot.state == slotAnswered:
			d.Winners = append(d.Winners[:0], slot.winner[:slot.winners]...)
			d.NextPollSec = int(slot.nextPollSec)
			return true
		}
		s.decided.Wait()
	}
}

// keep ends what recall began. It remembers the answer if it was served, and lets
// those who wait for it go on.
func (r *repeats) keep(key repeatKey, d *decision.Decision, o outcome) {
	s := r.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		slot := &s.slots[i]
		if slot.key != key || slot.state != slotPending {
			continue
		}
		if slot.state = slotFree; o == served {
			slot.state, slot.nextPollSec = slotAnswered, uint16(d.NextPollSec)
			slot.winners = uint8(copy(slot.winner[:], d.Winners))
		}
	}
	s.decided.Broadcast()
}

// find returns the slot of a poll that was sent within the last 30 s or is being decided.
func (s *repeatShard) find(key repeatKey, nowMS int64) *repeat {
	for i := range s.slots {
		slot := &s.slots[i]
		if slot.key != key || slot.state == slotFree {
			continue
		}
		if age := nowMS - slot.atMS; slot.state == slotPending || age >= 0 && age < repeatLife.Milliseconds() {
			return slot
		}
	}
	return nil
}

// claim takes a slot for a poll that is about to be decided: a free one, or that of the
// oldest answer. If all are being decided the poll gets none, and no repeat finds it.
func (s *repeatShard) claim(key repeatKey, nowMS int64) {
	var oldest *repeat
	for i := range s.slots {
		slot := &s.slots[i]
		switch {
		case slot.state == slotPending:
		case oldest == nil, slot.state == slotFree, oldest.state != slotFree && slot.atMS < oldest.atMS:
			oldest = slot
		}
	}
	if oldest != nil {
		*oldest = repeat{key: key, atMS: nowMS, state: slotPending} // forgets the popups
	}
}

// validRID reports whether a request id is 8 to 64 letters, digits, '_' and '-'.
func validRID(id []byte) bool {
	for _, c := range id {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(id) >= minRID && len(id) <= maxRID
}
