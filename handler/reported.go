package handler

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/popupd/popupd/popup"
)

// reportedSlots is how many goals are remembered, a power of two.
const reportedSlots = 1 << 15

// reportedGoals remembers goals that were journaled, by user, popup and the latest
// exposure that was known: if that goal counts no other one will, and if it does not, no
// other one for the same exposure does. So a page that reports a goal again and again
// fills no database. Goals are forgotten when others take their slots: then they are
// journaled once more, and the store counts them once.
type reportedGoals struct {
	seed  maphash.Seed
	once  sync.Once // there are no slots before the first goal
	slots []atomic.Uint64
}

func newReportedGoals() *reportedGoals { return &reportedGoals{seed: maphash.MakeSeed()} }

// key returns the hash that stands for a goal, never 0.
func (r *reportedGoals) key(goal *popup.Event) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	var number [12]byte
	binary.LittleEndian.PutUint32(number[:], goal.Popup)
	binary.LittleEndian.PutUint64(number[4:], uint64(goal.ReadyAtMS))
	h.Write(number[:])
	h.Write(goal.User)
	return h.Sum64() | 1
}

func (r *reportedGoals) slot(key uint64) *atomic.Uint64 {
	r.once.Do(func() { r.slots = make([]atomic.Uint64, reportedSlots) })
	return &r.slots[key>>1%reportedSlots]
}

func (r *reportedGoals) has(key uint64) bool { return r.slot(key).Load() == key }

func (r *reportedGoals) add(key uint64) { r.slot(key).Store(key) }
