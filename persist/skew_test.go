package persist

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// eachSkew runs a test with two servers on one store, on MariaDB and on SQLite: right
// goes by the real time, wrong by a clock that is an hour ahead or behind.
func eachSkew(t *testing.T, test func(t *testing.T, s *store, right, wrong *DB)) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *store) {
				s.config.Retention = 30 * time.Minute
				at := func(skew time.Duration) *DB {
					s.config.Now = func() int64 { return time.Now().Add(skew).UnixMilli() }
					return s.open(t)
				}
				test(t, s, at(0), at(skew))
			})
		})
	}
}

func TestOrphansOfSkewedServers(t *testing.T) {
	eachSkew(t, func(t *testing.T, s *store, right, wrong *DB) {
		const idle = 30 * time.Second
		servers := map[string]*DB{"right": right, "wrong": wrong}
		for i, db := range []*DB{right, wrong} {
			id := streamID(byte(i))
			if _, err := db.Register(t.Context(), id, 1); err != nil {
				t.Fatal(err)
			}
		}
		want := func(when string, ids ...popup.StreamID) {
			t.Helper()
			for name, db := range servers {
				got, err := db.Orphans(t.Context(), idle)
				if d := cmp.Diff(ids, got); err != nil || d != "" {
					t.Errorf("%s, the server whose clock is %s: orphans (-want +got): %v\n%s", when, name, err, d)
				}
			}
		}
		want("registered")
		s.pass(t, idle)
		want("nothing moves", streamID(0), streamID(1))
		for i, db := range []*DB{right, wrong} {
			if _, err := db.Flush(t.Context(), batchOf(streamID(byte(i)), 0, shown("u", startMS))); err != nil {
				t.Fatal(err)
			}
		}
		want("flushed")
		s.pass(t, forgottenAfter-idle)
		want("about to be forgotten", streamID(0), streamID(1))
		s.pass(t, idle)
		want("forgotten")
	})
}

// TestErasureOfSkewedServers: the walk waits for flushes that may not know of the
// reset, and the erasure is kept for what arrives late, whoever walks.
func TestErasureOfSkewedServers(t *testing.T) {
	eachSkew(t, func(t *testing.T, s *store, right, wrong *DB) {
		sweep := func(db *DB, when string, kept, done int64) {
			t.Helper()
			var w walk
			if finished, err := db.erase(t.Context(), &w, time.Now().Add(time.Minute)); err != nil || !finished {
				t.Fatalf("erase = %v, %v", finished, err)
			}
			if n := s.number(t, "SELECT COUNT(*) FROM erasure WHERE done_ms > 0"); n != done {
				t.Errorf("%s: %d of the erasures are done, want %d", when, n, done)
			}
			if n := s.number(t, "SELECT COUNT(*) FROM erasure"); n != kept {
				t.Errorf("%s: %d erasures are kept, want %d", when, n, kept)
			}
		}
		for i, db := range []*DB{right, wrong} {
			id := streamID(byte(i))
			s.register(t, id)
			if _, err := db.Flush(t.Context(), batchOf(id, 0, reset(fmt.Sprint("user", i), startMS))); err != nil {
				t.Fatal(err)
			}
		}
		sweep(right, "at once, right", 2, 0)
		sweep(wrong, "at once, wrong", 2, 0)
		s.pass(t, erasureSettle)
		sweep(wrong, "settled", 2, 2)
		s.pass(t, popup.TokenLife-time.Minute)
		sweep(right, "within a token's life, right", 2, 2)
		sweep(wrong, "within a token's life, wrong", 2, 2)
		s.pass(t, time.Minute)
		sweep(wrong, "after it", 0, 0)
	})
}

// TestRetentionOfSkewedServers: an event is as old as the store says.
func TestRetentionOfSkewedServers(t *testing.T) {
	eachSkew(t, func(t *testing.T, s *store, right, wrong *DB) {
		now, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", now)))
		for _, step := range []struct {
			passes time.Duration
			want   int64
		}{{0, 1}, {right.retention, 0}} {
			s.exec(t, "UPDATE event SET at_ms = at_ms - ?", step.passes.Milliseconds())
			if finished, err := wrong.removeOld(t.Context(), time.Now().Add(time.Minute)); err != nil || !finished {
				t.Fatalf("removeOld = %v, %v", finished, err)
			}
			if n := s.number(t, "SELECT COUNT(*) FROM event"); n != step.want {
				t.Errorf("%d events are left after %v, want %d", n, step.passes, step.want)
			}
		}
	})
}

// TestStoreNow: the store tells UTC to the millisecond, whatever the session's time zone.
func TestStoreNow(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if s.dialect.isSession {
			s.write.SetMaxOpenConns(1)
			if _, err := s.write.Exec("SET time_zone = '+05:30'"); err != nil {
				t.Fatal(err)
			}
		}
		before := time.Now().UnixMilli()
		got, err := s.storeNow(t.Context())
		if after := time.Now().UnixMilli(); err != nil || got < before-1 || got > after+1 {
			t.Errorf("%d, %v; want %d to %d", got, err, before, after)
		}
	})
}
