package journal

import (
	"sort"
	"time"
)

// appendTimes knows when the events of a stream were appended. It keeps few entries
// of what is long ago: a time it tells is too early by at most 1/64 of the event's
// age, and by the time between two calls of note.
type appendTimes struct {
	entries []appendTime // ascending in both fields
	thinAt  int          // entries; see thin
}

// appendTime says that event first and those behind it were appended at ms or later.
type appendTime struct {
	first uint64
	ms    int64
}

const (
	timesLeast = 64 // entries from which on there may be too many
	timesShare = 64 // of an event's age, by which its time may be wrong
)

// note records that event first is not appended before ms.
func (t *appendTimes) note(first uint64, ms int64) {
	for i := len(t.entries) - 1; i >= 0 && t.entries[i].ms > ms; i-- {
		t.entries[i].ms = ms // the clock stepped back
	}
	if n := len(t.entries); n > 0 && t.entries[n-1].first == first {
		t.entries[n-1].ms = ms
		return
	}
	t.entries = append(t.entries, appendTime{first, ms})
	if len(t.entries) >= max(t.thinAt, timesLeast) {
		t.thin()
		t.thinAt = 2 * len(t.entries)
	}
}

// noteEvent is note for what is known of an event that was found on disk, its own
// time. That may be long before it was appended: clients report what they did while
// they were offline.
func (t *appendTimes) noteEvent(seq uint64, ms int64) {
	if n := len(t.entries); n == 0 || t.entries[n-1].ms < ms {
		t.note(seq, ms)
	}
}

// thin drops the entries whose neighbours are close enough for their age.
func (t *appendTimes) thin() {
	newest := t.entries[len(t.entries)-1].ms
	kept := t.entries[:1]
	for i := 1; i < len(t.entries); i++ {
		if i < len(t.entries)-1 {
			next := t.entries[i+1].ms
			if next-kept[len(kept)-1].ms <= (newest-next)/timesShare {
				continue
			}
		}
		kept = append(kept, t.entries[i])
	}
	t.entries = kept
}

// of returns when event seq was appended, in ms; 0 if nothing is known.
func (t *appendTimes) of(seq uint64) int64 {
	i := sort.Search(len(t.entries), func(i int) bool { return t.entries[i].first > seq })
	if i == 0 {
		return 0
	}
	return t.entries[i-1].ms
}

// Age returns how long ago event seq was appended, 0 if it is not there: exact to a
// fifth of a second and 1/64. Of a stream that was adopted it is by the times of its
// events.
func (s *Stream) Age(seq uint64) time.Duration {
	j := s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	at := s.times.of(seq)
	if seq > s.Last() || at == 0 {
		return 0
	}
	return max(0, time.Duration(j.c.Now()-at)*time.Millisecond)
}

// noteTime records the time for what is appended from now on.
func (j *Journal) noteTime() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if a := j.active; a != nil {
		a.stream.times.note(a.next, j.c.Now())
	}
}
