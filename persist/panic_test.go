package persist

import (
	"testing"

	"github.com/popupd/popupd/popup"
)

// A panic in the middle of a transaction, which the caller survives, must not
// leave a connection whose next BEGIN commits the half that was done.
func TestPanicInTheMiddle(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		b := batchOf(id, 0, shown("u", startMS), shown("v", startMS))
		b.Last, b.Gaps = 3, []popup.Gap{{First: 3, Last: 3}}

		now, calls := s.now, 0
		s.DB.now = func() int64 {
			if calls++; calls == 2 { // the first is of the progress, the second of the gap, when the events are there
				panic("in the middle")
			}
			return now()
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("Flush did not panic")
				}
			}()
			_, _ = s.Flush(t.Context(), b)
		}()
		s.DB.now = now
		if last := s.progress(t, id); last != 0 {
			t.Errorf("progress %d after the panic, want 0", last)
		}
		s.mustFlush(t, b)
		if n := s.number(t, "SELECT COUNT(*) FROM dead_frame"); n != 1 {
			t.Errorf("%d gaps, want 1", n)
		}
	})
}
