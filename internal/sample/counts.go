package sample

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	// A round writes all counts, maxRows every writeEvery: 3,000 rows a minute. With so few
	// it is over at once, and the next one begins after roundEvery; with more than can be
	// written within roundMost more are written at a time.
	writeEvery = 10 * time.Second
	maxRows    = 500 // of one statement
	roundEvery = time.Minute
	roundMost  = 30 * time.Minute

	writeTimeout = 5 * time.Second  // of one statement
	stopTimeout  = 10 * time.Second // of all of them at the end

	maxHours = 3 // of which counts are kept while the store is away
)

// counts are what was counted and is not written yet.
type counts struct {
	mu      sync.Mutex
	waiting map[countOf]count
	writing map[countOf]count // a batch that is being written
}

// countOf is what is counted by.
type countOf struct {
	popup  uint32
	reason popup.Reason
	hourMS int64
}

// count is how many polls there were, as estimated, and how many were evaluated.
type count struct{ polls, sampled uint64 }

func (c *counts) addLocked(of countOf, n count) {
	if c.waiting == nil {
		c.waiting = map[countOf]count{}
	}
	was := c.waiting[of]
	c.waiting[of] = count{was.polls + n.polls, was.sampled + n.sampled}
}

// keys returns what counts wait of, in the order of the store.
func (c *counts) keys() []countOf {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := make([]countOf, 0, len(c.waiting))
	for of := range c.waiting {
		keys = append(keys, of)
	}
	slices.SortFunc(keys, func(a, b countOf) int {
		return cmp.Or(cmp.Compare(a.popup, b.popup), cmp.Compare(a.hourMS, b.hourMS), cmp.Compare(a.reason, b.reason))
	})
	return keys
}

// begin takes counts to be written, and returns them as rows.
func (c *counts) begin(keys []countOf) []popup.WhyNot {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = make(map[countOf]count, len(keys))
	rows := make([]popup.WhyNot, 0, len(keys))
	for _, of := range keys {
		if n, ok := c.waiting[of]; ok {
			c.writing[of] = n
			delete(c.waiting, of)
			rows = append(rows, n.row(of))
		}
	}
	if len(c.waiting) == 0 {
		c.waiting = nil // a map keeps the memory of what was in it
	}
	return rows
}

// end says how writing has ended. Without success the counts wait again, but for hours that are
// too old.
func (c *counts) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		for of, n := range c.writing {
			c.addLocked(of, n)
		}
		c.forgetLocked()
	}
	c.writing = nil
}

func (c *counts) forgetLocked() {
	newest := int64(0)
	for of := range c.waiting {
		newest = max(newest, of.hourMS)
	}
	for of := range c.waiting {
		if of.hourMS <= newest-maxHours*time.Hour.Milliseconds() {
			delete(c.waiting, of)
		}
	}
}

// appendUnwritten appends what was counted of a popup in the hours that begin in [fromMS, toMS).
func (c *counts) appendUnwritten(rows []popup.WhyNot, id uint32, fromMS, toMS int64) []popup.WhyNot {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, counts := range []map[countOf]count{c.writing, c.waiting} {
		for of, n := range counts {
			if of.popup == id && of.hourMS >= fromMS && of.hourMS < toMS {
				rows = append(rows, n.row(of))
			}
		}
	}
	return rows
}

func (n count) row(of countOf) popup.WhyNot {
	return popup.WhyNot{PopupID: of.popup, HourMS: of.hourMS, Reason: of.reason, Polls: n.polls, Sampled: n.sampled}
}

// round is how far the writing of all counts has come. A count that was written waits until
// the next round: if the process dies, what was counted for the length of a round is lost.
type round struct {
	left   []countOf
	batch  int       // how many are written at a time
	nextAt time.Time // no earlier does another round begin
}

// writeSome goes on with the round, or begins one if it is time. An error ends the round.
func (w *WhyNot) writeSome(ctx context.Context) error {
	r := &w.round
	if len(r.left) == 0 {
		if time.Now().Before(r.nextAt) {
			return nil
		}
		writes := int(roundMost / writeEvery)
		r.left, r.nextAt = w.counts.keys(), time.Now().Add(roundEvery)
		r.batch = max(maxRows, (len(r.left)+writes-1)/writes)
	}
	n := min(r.batch, len(r.left))
	err := w.write(ctx, r.left[:n])
	if r.left = r.left[n:]; err != nil {
		r.left = nil
	}
	return err
}

// writeAll writes all counts at the end.
func (w *WhyNot) writeAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	return w.write(ctx, w.counts.keys())
}

// write writes counts, some at a time and one after the other.
func (w *WhyNot) write(ctx context.Context, keys []countOf) error {
	for batch := range slices.Chunk(keys, maxRows) {
		if err := w.writeBatch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (w *WhyNot) writeBatch(ctx context.Context, keys []countOf) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	rows := w.counts.begin(keys)
	err := w.config.Store.AddWhyNot(ctx, rows)
	w.counts.end(err)
	return err
}
