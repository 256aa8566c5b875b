package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

func TestFlushUnknownStream(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if _, err := s.Flush(t.Context(), batchOf(streamID(1), 0, shown("u", startMS))); !errors.Is(err, ErrConflict) {
			t.Errorf("Flush = %v, want %v", err, ErrConflict)
		}
		if n := testutil.ToFloat64(s.metrics.errors[classConflict]); n != 1 {
			t.Errorf("%v conflicts counted, want 1", n)
		}
	})
}

func TestFlushMovesTheStream(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		if err := s.CloseStream(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.pass(t, time.Hour)
		s.mustFlush(t, batchOf(id, 0, shown("u", startMS), clicked("u", startMS, startMS+5)))
		now, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM ingest_stream WHERE last_seq = 2 AND closed = 0 AND host = 'test-host'"+
			" AND updated_ms BETWEEN ? AND ?", now-time.Minute.Milliseconds(), now); n != 1 {
			t.Error("the stream's row is not open, at 2, of this host and time")
		}
		if n := testutil.ToFloat64(s.metrics.flushed); n != 2 {
			t.Errorf("%v events counted, want 2", n)
		}
	})
}

// An action that is reported an hour late says nothing of how long flushing takes.
func TestFlushLag(t *testing.T) {
	s := onSQLite(t)
	s.register(t, streamID(1))
	s.clock.advance(2 * time.Second)
	late := clicked("u", startMS-7_200_000, startMS-3_600_000)
	s.mustFlush(t, batchOf(streamID(1), 0, late, shown("v", startMS), shown("w", startMS+1000)))
	s.mustFlush(t, batchOf(streamID(1), 3, clicked("v", startMS, startMS+500)))
	text, err := testutil.CollectAndFormat(s.metrics.flushLag, expfmt.TypeTextPlain, "popupd_flush_lag_seconds")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "popupd_flush_lag_seconds_sum 3.5\n") { // 2 and 1.5
		t.Errorf("%s\nwant 3.5 s in sum", text)
	}
}

func TestFlushGaps(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		e := shown("u", startMS)
		e.Seq = 4
		s.mustFlush(t, &popup.Batch{Stream: id, Last: 9, Events: []popup.Event{e}, Gaps: []popup.Gap{{First: 1, Last: 3}, {First: 5, Last: 9}}})
		if n := s.number(t, "SELECT SUM(last_seq - first_seq + 1) FROM dead_frame WHERE reason = 'gap' AND bytes IS NULL"); n != 8 {
			t.Errorf("gaps of %d events, want 8", n)
		}
		if n := testutil.ToFloat64(s.metrics.gaps); n != 8 {
			t.Errorf("%v lost events counted, want 8", n)
		}
	})
}

func TestFlushRefusesHoles(t *testing.T) {
	s := onSQLite(t)
	s.register(t, streamID(1))
	event := func(seq uint64) popup.Event {
		e := shown("u", startMS)
		e.Seq = seq
		return e
	}
	for name, b := range map[string]popup.Batch{
		"nothing":          {},
		"no event":         {Last: 1},
		"hole":             {Last: 3, Events: []popup.Event{event(1), event(3)}},
		"too short":        {Last: 2, Events: []popup.Event{event(1)}},
		"too long":         {Last: 1, Events: []popup.Event{event(1), event(2)}},
		"out of order":     {Last: 2, Events: []popup.Event{event(2), event(1)}},
		"twice":            {Last: 2, Events: []popup.Event{event(1), event(1), event(2)}},
		"event in a gap":   {Last: 2, Events: []popup.Event{event(1)}, Gaps: []popup.Gap{{First: 1, Last: 2}}},
		"gap over the end": {Last: 1, Gaps: []popup.Gap{{First: 1, Last: 2}}},
		"gap backwards":    {Last: 1, Gaps: []popup.Gap{{First: 1, Last: 0}}},
	} {
		b.Stream = streamID(1)
		if last, err := s.Flush(t.Context(), &b); err == nil {
			t.Errorf("%s: accepted, last %d", name, last)
		}
	}
	if last := s.progress(t, streamID(1)); last != 0 {
		t.Errorf("progress %d, want 0", last)
	}
}

// Several flushers on one stream: each batch is counted once, whoever wins.
func TestFlushersOnOneStream(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		const batches, size = 20, 10
		var flushers sync.WaitGroup
		for _, db := range []*DB{s.DB, s.open(t), s.open(t)} {
			flushers.Go(func() {
				for {
					after, _, err := db.Progress(t.Context(), id)
					if err != nil {
						t.Error(err)
						return
					}
					if after == batches*size {
						return
					}
					var events []popup.Event
					for i := range size {
						events = append(events, shown(fmt.Sprintf("u%d", int(after)+i), startMS))
					}
					if _, err := db.Flush(t.Context(), batchOf(id, after, events...)); err != nil && !errors.Is(err, ErrConflict) {
						t.Error(err)
						return
					}
				}
			})
		}
		flushers.Wait()
		if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != batches*size {
			t.Errorf("%d impressions, want %d", n, batches*size)
		}
	})
}

func TestLongBatchesAreSplit(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		s.flusher.writer.maxBytes = 8 << 10
		var events []popup.Event
		for i := range 2*maxStatementRows + 1 {
			events = append(events, shown(fmt.Sprintf("%d%s", i, strings.Repeat("é", 50)), startMS))
		}
		s.mustFlush(t, batchOf(id, 0, events...))
		if n := s.number(t, "SELECT COUNT(*) FROM user_popup"); n != int64(len(events)) {
			t.Errorf("%d rows of state, want %d", n, len(events))
		}
	})
}

// poisoned returns n events of which the store refuses those at bad.
func poisoned(n int, bad ...int) []popup.Event {
	var events []popup.Event
	for i := range n {
		events = append(events, shown(fmt.Sprintf("u%d", i), startMS))
	}
	for _, i := range bad {
		events[i].Variant = bytes.Repeat([]byte("v"), 40)
	}
	return events
}

func TestPoisonGoesAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		events := poisoned(300, 0, 7, 8, 299)
		s.flusher.writer.chunk = 4 // down to small parts some rows are prepared
		s.mustFlush(t, batchOf(id, 0, events...))
		rows, err := s.raw.Query("SELECT first_seq, last_seq, bytes, reason FROM dead_frame ORDER BY first_seq")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var seqs []uint64
		for rows.Next() {
			var first, last uint64
			var b []byte
			var reason string
			if err := rows.Scan(&first, &last, &b, &reason); err != nil {
				t.Fatal(err)
			}
			if first != last || reason == "" || reason == reasonGap || !bytes.Equal(b, events[first-1].Append(nil)) {
				t.Errorf("dead frame %d to %d, reason %q, bytes %x", first, last, reason, b)
			}
			seqs = append(seqs, first)
		}
		if d := cmp.Diff([]uint64{1, 8, 9, 300}, seqs); d != "" {
			t.Errorf("refused (-want +got):\n%s", d)
		}
		for query, want := range map[string]int64{
			"SELECT COUNT(*) FROM event":               296,
			"SELECT COUNT(*) FROM user_popup":          296,
			"SELECT SUM(impressions) FROM popup_stats": 296,
		} {
			if got := s.number(t, query); got != want {
				t.Errorf("%s = %d, want %d", query, got, want)
			}
		}
		if n := testutil.ToFloat64(s.metrics.dead); n != 4 {
			t.Errorf("%v dead frames counted, want 4", n)
		}
		s.mustFlush(t, batchOf(id, 300, shown("u", startMS)))
	})
}

// Only together are these too much for the statistics: whichever comes last is
// refused, and nothing of it remains.
func TestPoisonInTheSum(t *testing.T) {
	storetest.NeedMariaDB(t, "CHECK before 8.0.16")
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	s.exec(t, "ALTER TABLE popup_stats ADD CONSTRAINT few CHECK (impressions <= 10)")
	s.mustFlush(t, batchOf(id, 0, poisoned(16)...))
	for query, want := range map[string]int64{
		"SELECT COUNT(*) FROM event":               10,
		"SELECT COUNT(*) FROM user_popup":          10,
		"SELECT SUM(impressions) FROM popup_stats": 10,
		"SELECT COUNT(*) FROM dead_frame":          6,
	} {
		if got := s.number(t, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

func TestFlushIsAllOrNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		s.exec(t, "ALTER TABLE popup_stats RENAME TO elsewhere") // the last statement will fail
		_, err := s.Flush(t.Context(), batchOf(id, 0, shown("u", startMS)))
		if err == nil || classOf(err) != classOther {
			t.Errorf("Flush = %v (class %s), want class other", err, classOf(err))
		}
		s.exec(t, "ALTER TABLE elsewhere RENAME TO popup_stats")
		if n := s.number(t, "SELECT COUNT(*) FROM event") + s.number(t, "SELECT COUNT(*) FROM user_popup"); n != 0 || s.progress(t, id) != 0 {
			t.Errorf("%d rows are left, progress %d", n, s.progress(t, id))
		}
		s.mustFlush(t, batchOf(id, 0, shown("u", startMS)))
	})
}

func TestFlushWithoutTime(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Flush(ctx, batchOf(streamID(1), 0, shown("u", startMS))); classOf(err) != classConnection {
			t.Errorf("Flush = %v (class %s), want class connection", err, classOf(err))
		}
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS)))
	})
}
