package userstate

import (
	"context"
	"time"
)

const (
	sweepEvery   = 100 * time.Millisecond
	dumpEvery    = time.Minute
	dumpSooner   = 10 * time.Second // when the journal waits for it: what is not dumped cannot be trimmed
	dumpAtOnce   = time.Second      // when it can take hardly any more
	highPressure = 0.25             // of the journal
	mostPressure = 0.9              // of it
	spareRoom    = 1 << 20          // bytes of disk for small files, beside dumps
)

// Run sweeps and dumps until ctx ends, then dumps once more.
func (s *State) Run(ctx context.Context) error {
	sweep, dump := time.NewTicker(sweepEvery), time.NewTicker(dumpAtOnce)
	defer sweep.Stop()
	defer dump.Stop()
	last, took := time.Now(), time.Duration(0)
	full := fullWatch{log: s.log}
	for {
		s.leaveRoom()
		select {
		case <-ctx.Done():
			s.save()
			return nil
		case <-sweep.C:
			now := s.now()
			s.known.swept(now, s.table.MinGap())
			s.table.Sweep(now)
			full.look(s.table.Refused(), time.Now())
		case <-dump.C:
			if time.Since(last) < dumpPause(s.journal.Pressure(), s.journal.WantsDump(), took) {
				continue
			}
			last = time.Now()
			if took = dumpSooner; s.save() {
				took = time.Since(last)
			}
		}
	}
}

// leaveRoom has the journal leave as much of the disk as dumps and other files may take: were
// there no room for a dump, nothing of the journal could be trimmed.
func (s *State) leaveRoom() {
	room := s.table.DumpRoom(s.dump) + spareRoom
	if s.room != nil {
		room += s.room()
	}
	s.journal.LeaveRoom(room)
}

// dumpPause returns the time from the start of a dump to that of the next one.
// pressure is how full the journal is, from 0 to 1, wanted whether a part of it
// waits for a dump, and took how long the dump took.
func dumpPause(pressure float64, wanted bool, took time.Duration) time.Duration {
	switch {
	case pressure < highPressure || !wanted:
		return dumpEvery
	case pressure < mostPressure:
		return dumpSooner
	}
	return min(max(dumpAtOnce, 10*took), dumpSooner) // so that dumping takes at most a tenth of the time
}

// save dumps the table. The positions are taken first: an event is in the
// table before it is in the journal, so the dump holds all up to them. The
// journal keeps what the dump before this one lacks, should this one be damaged.
// It reports whether there is a dump.
func (s *State) save() bool {
	if !s.ready.Load() {
		return false // an incomplete table must not replace a complete dump
	}
	s.noteJournaled()
	d, at := s.known.beginDump()
	for id, seq := range s.journal.Positions() {
		at[id] = max(at[id], seq)
	}
	note := func() []byte { return s.known.note(d, s.table.Lost()) }
	if err := s.table.Dump(s.dump, at, note); err != nil {
		s.log.Error("users' state was not dumped", "err", err)
		return false
	}
	s.lastDump.SetToCurrentTime()
	s.journal.Covered(s.dumped)
	s.dumped = at
	return true
}
