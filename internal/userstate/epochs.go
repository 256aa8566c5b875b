package userstate

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// progressTimeout is how long the database may take to say what is committed.
const progressTimeout = 5 * time.Second

// maxEpochs is how many epochs are told apart while the database is away. Of more, the two
// that are nearest to each other become one: one that waits for ever is nobody else's.
const maxEpochs = 64

// waitEpochs is for how many epochs, in which the database answered, one waits for what is not
// committed: a day. The server that has it is gone. Should it come back it ships it again.
const waitEpochs = uint32(24 * time.Hour / frequency.EpochLength)

// epochs says of what was heard in which epochs not all is committed. One goroutine owns it.
type epochs struct {
	open     []openEpochs
	answered uint32 // how often the database has said how far the streams are committed
}

// openEpochs are some epochs, and up to where the streams that moved in them must be committed.
type openEpochs struct {
	frequency.Epochs
	wants map[popup.StreamID]uint64
	since uint32 // answered by then
}

// end notes that an epoch has ended that wants the streams that moved in it committed up to here.
func (e *epochs) end(epoch uint32, wants map[popup.StreamID]uint64) {
	if len(wants) == 0 {
		return
	}
	e.open = append(e.open, openEpochs{Epochs: frequency.Epochs{From: epoch, To: epoch}, wants: wants, since: e.answered})
	if len(e.open) <= maxEpochs {
		return
	}
	nearest := 0
	for i := range len(e.open) - 1 {
		if e.open[i+1].To-e.open[i].From < e.open[nearest+1].To-e.open[nearest].From {
			nearest = i
		}
	}
	a, b := &e.open[nearest], &e.open[nearest+1]
	b.From = a.From
	b.wants = larger(b.wants, a.wants)
	e.open = slices.Delete(e.open, nearest, nearest+1)
}

// waits returns all that something open waits for.
func (e *epochs) waits() map[popup.StreamID]uint64 {
	all := make(map[popup.StreamID]uint64)
	for _, o := range e.open {
		for id, seq := range o.wants {
			all[id] = max(all[id], seq)
		}
	}
	return all
}

// committed closes what is committed now, and what has waited for too long, and returns what is
// still open. A nil map says that the database has not answered.
func (e *epochs) committed(at map[popup.StreamID]uint64) (open []frequency.Epochs) {
	if at != nil {
		e.answered++
	}
	e.open = slices.DeleteFunc(e.open, func(o openEpochs) bool {
		maps.DeleteFunc(o.wants, func(id popup.StreamID, seq uint64) bool { return seq <= at[id] })
		return len(o.wants) == 0 || e.answered-o.since > waitEpochs
	})
	for _, o := range e.open {
		open = append(open, o.Epochs)
	}
	return open
}

// RunEpochs has users forgotten whose events are all committed, until ctx ends.
func (s *State) RunEpochs(ctx context.Context) error {
	if !s.heldOnly {
		return nil
	}
	var e epochs
	tick := time.NewTicker(frequency.EpochLength)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.endEpoch(ctx, &e)
		}
	}
}

// endEpoch ends an epoch. While the database does not answer nobody else is forgotten. If it
// has gone back to the past it lacks what was forgotten, and all that it has is read anew.
func (s *State) endEpoch(ctx context.Context, e *epochs) {
	ended := s.table.NextEpoch()
	wants, committed := s.known.endEpoch()
	for id, seq := range s.journal.Positions() { // always: the journal may be merged again
		if seq > 0 {
			wants[id] = max(wants[id], seq)
		}
	}
	e.end(ended, wants)
	ctx, cancel := context.WithTimeout(ctx, progressTimeout)
	defer cancel()
	at, err := s.db.Committed(ctx, slices.Collect(maps.Keys(larger(committed, e.waits()))))
	switch {
	case err != nil:
		at = nil // what is not committed yet is known all the same
	case s.known.committedUpTo(committed, at):
		s.log.Warn("the database is of the past: users are looked up again")
		s.Behind()
	}
	s.table.SetUncommitted(ended, e.committed(at))
	s.known.waitFor(e.waits())
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
