package sample

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// counted counts a poll for each of so many popups, for three reasons.
func (w *WhyNot) counted(popups int, hourMS int64) {
	w.counts.mu.Lock()
	defer w.counts.mu.Unlock()
	for id := range uint32(popups) {
		for _, reason := range []popup.Reason{popup.Outranked, popup.NotTargeted, popup.MinGap} {
			w.counts.addLocked(countOf{id + 1, reason, hourMS}, count{8, 1})
		}
	}
}

// However many popups there are, few rows are written at a time and a minute, and each of
// them comes in the end.
func TestWhyNotIsWrittenEvenly(t *testing.T) {
	for _, test := range []struct {
		popups         int
		rowsPerMinute  int // at most
		roundInMinutes int
	}{
		{100, 300, 1},
		{1000, 3000, 1},
		{10_000, 3000, 10},
		{40_000, 4002, 30},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, store, _ := newCounter(t, 0, "")
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- w.Run(ctx) }()
			time.Sleep(time.Second)
			const rounds = 2
			counted := 0
			for minute := range rounds * test.roundInMinutes {
				if minute%min(5, test.roundInMinutes) == 0 { // also what was written in this round
					w.counted(test.popups, noon)
					counted += 8
				}
				rowsBefore, _, triesBefore := store.sees()
				time.Sleep(time.Minute)
				rows, _, tries := store.sees()
				rows, tries = rows-rowsBefore, tries-triesBefore
				if most := rows/maxRows + 6; rows > test.rowsPerMinute || tries > most {
					t.Errorf("%d popups: %d rows in %d statements a minute, want at most %d in %d", test.popups, rows, tries, test.rowsPerMinute, most)
				}
			}
			if n, _, _ := store.sees(); n < rounds*3*test.popups {
				t.Errorf("%d popups: %d rows in %d rounds", test.popups, n, rounds)
			}
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			sum := store.sum(1)
			if n := sum[popup.MinGap]; n != uint64(counted) {
				t.Errorf("%d popups: %d polls at the end, want %d", test.popups, n, counted)
			}
		})
	}
}

// What the store does not take is written later, by the hour, and shown meanwhile. It is not
// asked more than once a minute.
func TestWhyNotOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store, _ := newCounter(t, 0, "")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		time.Sleep(time.Second)
		away := errors.New("away")
		store.fail(away)
		const hours, popups = 5, 400
		for hour := range int64(hours) {
			w.counted(popups, noon+hour*3600_000)
			time.Sleep(10 * time.Minute)
		}
		if _, _, tries := store.sees(); tries < 5*hours || tries > 10*hours {
			t.Errorf("the store was asked %d times in %d minutes", tries, 10*hours)
		}
		if _, err := w.WhyNot(t.Context(), 1, noon, noon+hours*3600_000); err != away {
			t.Errorf("WhyNot = %v", err)
		}
		store.fail(nil)
		before, err := w.WhyNot(t.Context(), 1, noon, noon+hours*3600_000)
		if err != nil || len(before) != 3*maxHours {
			t.Errorf("%v, %v; want the last %d hours", before, err, maxHours)
		}
		time.Sleep(5 * time.Minute)
		rows, writes, _ := store.sees()
		time.Sleep(5 * time.Minute) // in which nothing is counted
		if _, later, _ := store.sees(); later != writes {
			t.Errorf("%d more writes, of nothing", later-writes)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if rows != 3*popups*maxHours || w.counts.waiting != nil {
			t.Errorf("%d rows are written and %d wait, want %d", rows, len(w.counts.waiting), 3*popups*maxHours)
		}
	})
}

// Of a popup that is archived nothing is counted from then on, and nothing stays in memory.
func TestArchivedIsNotCounted(t *testing.T) {
	w, store, snap := newCounter(t, 1000, "", "")
	draw, users := Draw(7), frequency.New(frequency.Config{})
	evaluate := func() {
		for len(w.waiting) > 0 {
			w.evaluate(<-w.waiting)
		}
		if err := w.writeAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	polls(w, &draw, snap, users, 3, noon)
	evaluate()
	before := store.sum(2)
	polls(w, &draw, compiled(t, ""), users, 3, noon)
	evaluate()
	if d := cmp.Diff(before, store.sum(2)); d != "" || len(before) == 0 || w.counts.waiting != nil {
		t.Errorf("counts %v (-before +after):\n%s", w.counts.waiting, d)
	}
	if n := store.sum(1)[popup.Eligible]; n != 6 {
		t.Errorf("%d polls of the other popup, want 6", n)
	}
}
