package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// memoryStore is a Ledger and a Sink with what matters of MySQL: transactions,
// the compare-and-set, and errors of every kind. It keeps the users of the
// events it counts, in order, and remembers what should never have happened.
type memoryStore struct {
	fault func(op string) outcome // what becomes of a call; nil: it works

	mu     sync.Mutex
	rows   map[popup.StreamID]*memoryRow
	calls  map[string]int
	broken []string
}

type memoryRow struct {
	users  []string // of event 1, 2, 3...; "" where a gap was declared
	closed bool
	moved  time.Time
}

// outcome is what becomes of a call.
type outcome int

const (
	works     outcome = iota
	fails             // nothing was done
	replyLost         // it was done, and the caller gets an error
	panics            // it was done, and there is a bug behind it
)

var (
	errDown     = errors.New("store is down")
	errConflict = errors.New("stream stands elsewhere")
)

func newMemoryStore() *memoryStore {
	return &memoryStore{rows: make(map[popup.StreamID]*memoryRow), calls: make(map[string]int)}
}

// setFault changes what becomes of calls.
func (m *memoryStore) setFault(f func(op string) outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

// call runs do as the fault wants it, under mu.
func (m *memoryStore) call(ctx context.Context, op string, do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[op]++
	if err := ctx.Err(); err != nil {
		return err
	}
	o := works
	if m.fault != nil {
		o = m.fault(op)
	}
	if o == fails {
		return errDown
	}
	if err := do(); err != nil {
		return err
	}
	switch o {
	case replyLost:
		return errDown
	case panics:
		panic("a bug")
	}
	return nil
}

func (m *memoryStore) Register(ctx context.Context, s popup.StreamID, first uint64) (last uint64, err error) {
	err = m.call(ctx, "register", func() error {
		r := m.rows[s]
		if r == nil {
			r = &memoryRow{users: make([]string, first-1), moved: time.Now()}
			m.rows[s] = r
		}
		r.closed = false
		last = uint64(len(r.users))
		return nil
	})
	return last, err
}

func (m *memoryStore) Progress(ctx context.Context, s popup.StreamID) (last uint64, known bool, err error) {
	err = m.call(ctx, "progress", func() error {
		if r := m.rows[s]; r != nil {
			last, known = uint64(len(r.users)), true
		}
		return nil
	})
	return last, known, err
}

func (m *memoryStore) CloseStream(ctx context.Context, s popup.StreamID) error {
	return m.call(ctx, "close", func() error {
		if r := m.rows[s]; r != nil {
			r.closed = true
		}
		return nil
	})
}

func (m *memoryStore) Orphans(ctx context.Context, idle time.Duration) (ids []popup.StreamID, err error) {
	err = m.call(ctx, "orphans", func() error {
		for id, r := range m.rows {
			if !r.closed && time.Since(r.moved) >= idle {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

func (m *memoryStore) Flush(ctx context.Context, b *popup.Batch) (last uint64, err error) {
	err = m.call(ctx, "flush", func() error {
		r := m.rows[b.Stream]
		if r == nil || uint64(len(r.users)) != b.After {
			return errConflict
		}
		users := slices.Clone(r.users)
		events, gaps := b.Events, b.Gaps
		for next := b.After + 1; next <= b.Last; {
			switch {
			case len(events) > 0 && events[0].Seq == next:
				users = append(users, string(events[0].User))
				events = events[1:]
				next++
			case len(gaps) > 0 && gaps[0].First == next && gaps[0].Last <= b.Last:
				users = append(users, make([]string, gaps[0].Last-next+1)...)
				next = gaps[0].Last + 1
				gaps = gaps[1:]
			default:
				m.broken = append(m.broken, fmt.Sprintf("nothing has seq %d in batch %d to %d", next, b.After+1, b.Last))
				return errDown
			}
		}
		if len(events)+len(gaps) > 0 {
			m.broken = append(m.broken, fmt.Sprintf("batch %d to %d holds more than that", b.After+1, b.Last))
		}
		r.users, r.moved = users, time.Now()
		last = b.Last
		return nil
	})
	return last, err
}

// committed returns the users of a stream's events, "" for those declared lost.
func (m *memoryStore) committed(s popup.StreamID) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.rows[s]; r != nil {
		return slices.Clone(r.users)
	}
	return nil
}

func (m *memoryStore) closed(s popup.StreamID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[s] != nil && m.rows[s].closed
}

func (m *memoryStore) made(op string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[op]
}

// rewind puts a stream back to where it stood after event last.
func (m *memoryStore) rewind(s popup.StreamID, last int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[s].users = slices.Clone(m.rows[s].users[:last])
}

func (m *memoryStore) forget(s popup.StreamID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, s)
}

// age makes a stream one that has not moved for a while.
func (m *memoryStore) age(s popup.StreamID, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[s].moved = time.Now().Add(-d)
}

func (m *memoryStore) streams() []popup.StreamID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.rows))
}

// verify reports what went wrong inside.
func (m *memoryStore) verify(t testing.TB) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.broken {
		t.Error(b)
	}
}
