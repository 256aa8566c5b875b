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

// maxEpochs is how many epochs are told apart while the database is away: the oldest of
// more become one.
const maxEpochs = 64

// epochs says of what was heard in which epochs not all is committed. One goroutine owns it.
type epochs struct {
	open []openEpochs
	last map[popup.StreamID]uint64 // up to where the streams were heard when the latest epoch ended
}

// openEpochs are some epochs, and up to where the streams that moved in them must be committed.
type openEpochs struct {
	frequency.Epochs
	wants map[popup.StreamID]uint64
}

// end notes that an epoch has ended by when the streams were heard up to here.
func (e *epochs) end(epoch uint32, heard map[popup.StreamID]uint64) {
	wants := maps.Clone(heard)
	maps.DeleteFunc(wants, func(id popup.StreamID, seq uint64) bool { return seq <= e.last[id] })
	e.last = heard
	if len(wants) == 0 {
		return
	}
	e.open = append(e.open, openEpochs{frequency.Epochs{From: epoch, To: epoch}, wants})
	if len(e.open) > maxEpochs {
		oldest, next := &e.open[0], &e.open[1]
		next.From = oldest.From
		for id, seq := range oldest.wants {
			next.wants[id] = max(next.wants[id], seq)
		}
		e.open = slices.Delete(e.open, 0, 1)
	}
}

// streams returns those that something open waits for.
func (e *epochs) streams() (ids []popup.StreamID) {
	all := make(map[popup.StreamID]bool)
	for _, o := range e.open {
		for id := range o.wants {
			all[id] = true
		}
	}
	return slices.Collect(maps.Keys(all))
}

// committed closes what is committed now, and returns what is not.
func (e *epochs) committed(at map[popup.StreamID]uint64) (open []frequency.Epochs) {
	e.open = slices.DeleteFunc(e.open, func(o openEpochs) bool {
		maps.DeleteFunc(o.wants, func(id popup.StreamID, seq uint64) bool { return seq <= at[id] })
		return len(o.wants) == 0
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

// endEpoch ends an epoch. While the database does not answer nobody else is forgotten.
func (s *State) endEpoch(ctx context.Context, e *epochs) {
	ended := s.table.NextEpoch()
	heard := s.known.heardUpTo()
	for id, seq := range s.journal.Positions() {
		heard[id] = max(heard[id], seq)
	}
	e.end(ended, heard)
	ctx, cancel := context.WithTimeout(ctx, progressTimeout)
	defer cancel()
	at, err := s.db.Committed(ctx, e.streams())
	if err != nil {
		at = nil // what is not committed yet is known all the same
	}
	s.table.SetUncommitted(e.committed(at))
}
