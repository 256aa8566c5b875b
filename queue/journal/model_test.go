package journal

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/popupd/popupd/popup"
)

// modelJournal is what a journal must hold: lists.
type modelJournal struct {
	streams map[popup.StreamID]*modelStream
}

type modelStream struct {
	items   []item // all that was ever accepted
	acked   uint64 // this start's
	covered uint64
	needed  uint64 // what comes after this was never both acked and covered
	removed bool
}

// check compares j with the model.
func (m *modelJournal) check(t *testing.T, j *Journal) {
	t.Helper()
	held := map[popup.StreamID]bool{}
	for _, s := range j.Streams() {
		want, known := m.streams[s.ID()]
		if !known {
			if s.Last() != 0 {
				t.Fatalf("stream %s has %d events and was never seen", s.ID(), s.Last())
			}
			continue
		}
		held[s.ID()] = true
		if s.Last() != uint64(len(want.items)) || s.First() > want.needed+1 {
			t.Fatalf("stream %s holds %d to %d, want at least %d to %d", s.ID(), s.First(), s.Last(), want.needed+1, len(want.items))
		}
		if got := read(t, s, s.First()-1, 700); !slices.Equal(got, want.items[s.First()-1:]) {
			t.Fatalf("stream %s: (-want +got)\n%s", s.ID(), cmp.Diff(want.items[s.First()-1:], got))
		}
	}
	for id, s := range m.streams {
		if !held[id] && !s.removed && len(s.items) > 0 {
			t.Fatalf("stream %s with %d events is gone", id, len(s.items))
		}
	}
	if got, want := j.bytes.Load(), countBytes(j); got != want {
		t.Fatalf("%d bytes are counted, want %d", got, want)
	}
}

// countBytes adds up what Journal.bytes is the sum of.
func countBytes(j *Journal) (sum int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	segs := slices.Clone(j.pendingDelete)
	for _, s := range j.streams {
		segs = append(segs, s.segs...)
	}
	for _, r := range j.retired {
		if r.remove {
			segs = append(segs, r.seg)
		}
	}
	for _, g := range segs {
		if !g.bad {
			sum += g.size
		}
	}
	for _, l := range j.pendingRemove {
		sum += l.bytes
	}
	if t := j.active; t != nil && t.spare != nil {
		sum += t.spareSize
	}
	return sum
}

// stream returns the model's stream, new if need be.
func (m *modelJournal) stream(id popup.StreamID) *modelStream {
	s := m.streams[id]
	if s == nil {
		s = &modelStream{}
		m.streams[id] = s
	}
	return s
}

// swept: what is acked and covered may be trimmed.
func (m *modelJournal) swept() {
	for _, s := range m.streams {
		s.needed = max(s.needed, min(s.acked, s.covered))
	}
}

// restarted: what was acked and covered is forgotten, and a removed stream that was
// not deleted yet is back.
func (m *modelJournal) restarted(j *Journal) {
	for _, s := range m.streams {
		s.acked, s.covered = 0, 0
	}
	for _, s := range j.Streams() {
		if known := m.streams[s.ID()]; known != nil {
			known.removed = false
		}
	}
}

// TestJournalModel does random things to a journal, with kills (its directory is
// copied while it runs) and restarts, and compares it with lists after each.
func TestJournalModel(t *testing.T) {
	runs, steps := 20, 250
	if testing.Short() {
		runs = 4
	}
	seed := time.Now().UnixNano()
	for run := range runs {
		t.Logf("run %d of seed %d", run, seed)
		random := rand.New(rand.NewPCG(uint64(seed), uint64(run)))
		d := &disk{noMmap: run%3 == 1, noAlloc: run%3 == 2, noDirRename: run%6 == 2, step: (&faults{}).step}
		clock := newTestClock()
		c := testConfig(memoryDir(t))
		c.MaxBytes, c.Now, c.Grace = 8<<10, clock.now, 2*time.Second
		if run%4 > 1 {
			c.MaxBytes = 80 << 10
		}
		c.Sync = []time.Duration{0, background}[run%2]
		m := &modelJournal{streams: map[popup.StreamID]*modelStream{}}
		j := mustOpen(t, c, d)
		next, full := 0, 0
		for range steps {
			switch n := random.IntN(100); {
			case n < 50:
				count := 1 + random.IntN(4)
				if n < 5 {
					count = 1 + random.IntN(40)
				}
				err := j.Append(testEvents(next, count))
				switch {
				case err == nil:
					s := m.stream(own(t, j).ID())
					s.items = append(s.items, items(uint64(len(s.items)+1), next, count)...)
				case errors.Is(err, ErrFull):
					full++
				default:
					t.Fatal(err)
				}
				next += count
			case n < 65:
				for _, s := range j.Streams() {
					if s.Last() > 0 {
						want := m.stream(s.ID())
						want.acked = random.Uint64N(s.Last() + 1)
						if random.IntN(2) == 0 {
							want.acked = s.Last()
						}
						s.Ack(want.acked)
					}
				}
			case n < 75:
				at := j.Positions()
				j.Covered(at)
				for id, seq := range at {
					m.stream(id).covered = max(m.stream(id).covered, seq)
				}
			case n < 80:
				for _, s := range j.Streams() {
					if want := m.streams[s.ID()]; s.Sealed() && want != nil && want.acked == s.Last() {
						if err := s.Remove(); err != nil {
							t.Fatal(err)
						}
						want.removed = true
					}
				}
			case n < 90:
				clock.move(time.Duration(random.IntN(3000)) * time.Millisecond)
				j.allocateSpare()
				m.swept()
				j.sweep()
			case n < 94:
				if err := j.adopt(nil); err != nil {
					t.Fatal(err)
				}
				j.mu.Lock()
				j.syncRetiredLocked()
				j.mu.Unlock()
			case n < 97: // kill
				c.Dir = copyDir(t, c.Dir)
				j = mustOpen(t, c, d)
				m.restarted(j)
			default:
				m.swept()
				if err := j.Release(); err != nil {
					t.Fatal(err)
				}
				j = mustOpen(t, c, d)
				m.restarted(j)
			}
			m.check(t, j)
		}
		t.Logf("%d events, %d streams, %d times full", next, len(m.streams), full)
	}
}
