package persist

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func TestRestoreWhatMatters(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		plain := mustCreate(t, s, `{"key":"plain","status":"active"}`).ID
		capped := mustCreate(t, s, `{"key":"capped","status":"paused","frequency":{"max_impressions":3}}`).ID
		gone := mustCreate(t, s, `{"key":"gone","status":"archived","frequency":{"max_impressions":3}}`).ID
		goal := mustCreate(t, s, `{"key":"goal","status":"active","goal":{"event":"purchase","window_sec":2592000}}`).ID
		const unknown = 99
		now := int64(startMS)
		long := now - (popup.TokenLife + time.Hour).Milliseconds()
		ago := func(d time.Duration) int64 { return now - d.Milliseconds() }
		id := streamID(1)
		s.register(t, id)
		var events []popup.Event
		var want []string
		add := func(name string, popupID uint32, served, ready int64, kept bool) {
			events = append(events, popup.Event{
				AtMS: served, ServedAtMS: served, User: []byte(name), Popup: popupID, Version: 1,
				Action: popup.Impression, Nth: 1, ReadyAtMS: ready,
			})
			if kept {
				want = append(want, name)
			}
		}
		add("waiting", plain, long, now+1, true)
		add("waited just now", plain, long, ago(time.Hour)+1, true)
		add("waited an hour ago", plain, long, ago(time.Hour), false)
		add("shown lately", plain, ago(popup.TokenLife)+1, long, true)
		add("shown a week ago", plain, ago(popup.TokenLife), long, false)
		add("never again", plain, long, popup.Never, true)
		add("counted for ever", capped, long, long, true)
		add("exposed within the goal's window", goal, ago(30*24*time.Hour)+1, long, true)
		add("exposed before the goal's window", goal, ago(30*24*time.Hour), long, false)
		add("archived", gone, now, popup.Never, false)
		add("of a popup that is not there", unknown, now, now+1, true)
		s.mustFlush(t, batchOf(id, 0, events...))

		got := s.states(t, now)
		for _, e := range events {
			k := stateKey{string(e.User), e.Popup}
			st, ok := got[k]
			kept := len(want) > 0 && want[0] == k.user
			if kept {
				want = want[1:]
			}
			if ok != kept {
				t.Errorf("%s: restored %v, want %v", e.User, ok, kept)
			}
			if d := cmp.Diff(e.State(), st); ok && d != "" {
				t.Errorf("%s: state (-want +got):\n%s", e.User, d)
			}
		}
	})
}

func TestRestoreResets(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS), reset("u", startMS+1), reset("用户", startMS+2), reset("u", startMS+3)))
		got := map[string]int64{}
		err := s.RestoreResets(t.Context(), func(user []byte, atMS int64) { got[string(user)] = max(got[string(user)], atMS) })
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]int64{"u": startMS + 3, "用户": startMS + 2}, got); d != "" {
			t.Errorf("resets (-want +got):\n%s", d)
		}
	})
}

// The gap after a popup that is archived is still to be held.
func TestRestoreGapOfArchived(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		gone := mustCreate(t, s, `{"key":"gone","status":"archived"}`).ID
		s.register(t, streamID(1))
		lately, before := shown("lately", startMS-time.Hour.Milliseconds()+1), shown("before", startMS-time.Hour.Milliseconds())
		lately.Popup, before.Popup = gone, gone
		s.mustFlush(t, batchOf(streamID(1), 0, lately, before))
		for gap, want := range map[time.Duration]int{0: 0, time.Hour: 1, 2 * time.Hour: 2} {
			n := 0
			if _, err := s.Restore(t.Context(), startMS, gap, nil, false, func([]byte, uint32, popup.State) { n++ }); err != nil {
				t.Fatal(err)
			}
			if n != want {
				t.Errorf("with a gap of %v %d states are restored, want %d", gap, n, want)
			}
		}
	})
}

// What is restored is of one moment, however busy the flushers are: batch n of
// the stream says that two users, far from each other in the table, were shown a
// popup for the nth time.
func TestRestoreIsOneMoment(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		for i := range uint64(4) {
			var between []popup.Event
			for j := range 2500 {
				between = append(between, shown(fmt.Sprintf("b%d-%d", i, j), startMS))
			}
			s.mustFlush(t, batchOf(id, i*2500, between...))
		}
		const batches = 100
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range uint32(batches) {
				first, last := shown("a", startMS), shown("c", startMS)
				first.Nth, last.Nth = i+1, i+1
				if _, err := s.Flush(t.Context(), batchOf(id, 10_000+2*uint64(i), first, last)); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		other := s.open(t)
		for nth := uint32(0); nth < batches && !t.Failed(); {
			rows, seen := 0, map[string]uint32{}
			_, err := other.Restore(t.Context(), startMS, 0, nil, false, func(user []byte, _ uint32, st popup.State) {
				rows++
				if len(user) == 1 {
					seen[string(user)] = st.Impressions
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if nth = seen["a"]; nth != seen["c"] || rows != 10_000+len(seen) {
				t.Fatalf("%d rows, a was shown %d times, c %d times", rows, nth, seen["c"])
			}
		}
		<-done
	})
}

// TestRestoreEnds when it is told to, with the reader in the middle of the rows.
func TestRestoreEnds(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		for i := range uint64(10) {
			var events []popup.Event
			for j := range 2000 {
				events = append(events, shown(fmt.Sprintf("%d-%d", i, j), startMS))
			}
			s.mustFlush(t, batchOf(id, i*2000, events...))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rows := 0
		_, err := s.Restore(ctx, startMS, 0, nil, false, func([]byte, uint32, popup.State) {
			if rows++; rows == 1000 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || rows >= 20_000 {
			t.Errorf("%d rows, %v; want fewer than there are and %v", rows, err, context.Canceled)
		}
		defer func() {
			if recover() == nil {
				t.Error("a panic of the caller's is lost")
			}
		}()
		_, _ = s.Restore(t.Context(), startMS, 0, nil, false, func([]byte, uint32, popup.State) { panic("the caller") })
	})
}

// Where the server prepares nothing the states are read all the same.
func TestRestoreWithoutPrepared(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	s.mustFlush(t, batchOf(id, 0, shown("a", startMS), shown("b", startMS)))
	states := func() map[string]popup.State {
		got := make(map[string]popup.State)
		if _, err := s.Restore(t.Context(), startMS, 0, nil, false, func(user []byte, _ uint32, st popup.State) { got[string(user)] = st }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := states()
	limit := s.number(t, "SELECT @@max_prepared_stmt_count")
	s.exec(t, "SET GLOBAL max_prepared_stmt_count = 0")
	defer s.exec(t, fmt.Sprint("SET GLOBAL max_prepared_stmt_count = ", limit))
	if d := cmp.Diff(want, states()); len(want) != 2 || d != "" {
		t.Errorf("%d states; prepared and not (-want +got):\n%s", len(want), d)
	}
}
