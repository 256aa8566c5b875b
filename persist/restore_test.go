package persist

import (
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
		const unknown = 99
		now := int64(startMS)
		long := now - (keepAfterImpression + time.Hour).Milliseconds()
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
		add("shown lately", plain, ago(keepAfterImpression)+1, long, true)
		add("shown a week ago", plain, ago(keepAfterImpression), long, false)
		add("never again", plain, long, popup.Never, true)
		add("counted for ever", capped, long, long, true)
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

func TestRestorePositions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		for i := range byte(3) {
			s.register(t, streamID(i))
		}
		s.mustFlush(t, batchOf(streamID(2), 0, shown("u", startMS), shown("v", startMS)))
		if err := s.CloseStream(t.Context(), streamID(2)); err != nil {
			t.Fatal(err)
		}
		at, err := s.Restore(t.Context(), startMS, func([]byte, uint32, popup.State) {})
		want := map[popup.StreamID]uint64{streamID(0): 0, streamID(1): 0, streamID(2): 2}
		if d := cmp.Diff(want, at); err != nil || d != "" {
			t.Errorf("positions, %v (-want +got):\n%s", err, d)
		}
	})
}

// The state must be that of the positions, however busy the flushers are: batch
// n of the stream says that user n of the batch's users was shown.
func TestRestoreIsOneMoment(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		const batches = 100
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range uint64(batches) {
				if _, err := s.Flush(t.Context(), batchOf(id, i, shown(fmt.Sprint(i), startMS))); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		other := s.open(t)
		for at := uint64(0); at < batches && !t.Failed(); {
			states := uint64(0)
			positions, err := other.Restore(t.Context(), startMS, func([]byte, uint32, popup.State) { states++ })
			if err != nil {
				t.Fatal(err)
			}
			if at = positions[id]; states != at {
				t.Fatalf("%d states at position %d", states, at)
			}
		}
		<-done
	})
}
