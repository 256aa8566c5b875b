package decision

import (
	"math/bits"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Replay decides polls one after another under one snapshot, with a memory of its own that
// begins empty: nobody has seen anything yet. Whatever is shown is seen, and nobody clicks,
// dismisses or converts. It serves one goroutine at a time.
type Replay struct {
	snap     *snapshot.Snapshot
	users    *frequency.Table
	decision Decision
}

// replayBytes is the memory for the users of one replay: some hundred thousand popups that
// were shown.
const replayBytes = 64 << 20

// NewReplay returns a replay in which popups have at least minGap between them, or what the
// settings of the snapshot say if that is more.
func NewReplay(snap *snapshot.Snapshot, minGap time.Duration) *Replay {
	users := frequency.New(frequency.Config{MaxBytes: replayBytes, MinGap: minGap})
	users.SetMinGap(time.Duration(snap.Settings().MinGapSec) * time.Second)
	if caps := snap.Caps(); len(caps) > 0 {
		users.KeepImpressions(func(id uint32) (ms int64) {
			for of := snap.CapsOf(id); of != 0; of &= of - 1 {
				ms = max(ms, 1000*caps[bits.TrailingZeros16(uint16(of))].PerSec)
			}
			return ms
		})
	}
	return &Replay{snap: snap.Detached(), users: users}
}

// Poll decides one poll and returns what was shown, which is valid until the next one. Polls
// come in the order of time.
func (r *Replay) Poll(request *popup.Request, nowMS int64) []Winner {
	r.decision.Decide(r.snap, r.users, request, nowMS, nil)
	return r.decision.Winners
}
