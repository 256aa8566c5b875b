package persist

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// What caps count comes back with what the user did with it; controls are none of it.
func TestRestoreImpressions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const second = 1000
		control, released := shown("u", startMS+2*second), clicked("u", startMS+3*second, startMS+4*second)
		control.Action, released.Action, released.ClickUntilMS = popup.Control, popup.Release, 0
		other := shown("用户", startMS)
		other.Popup = 9
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS-1), shown("u", startMS), shown("u", startMS+second),
			clicked("u", startMS+second, startMS+2*second), control, shown("u", startMS+3*second), released, other))
		got := map[string]uint8{}
		if err := s.RestoreImpressions(t.Context(), startMS-1, func(user []byte, id uint32, servedAtMS int64, acted uint8) {
			got[fmt.Sprintf("%s %d %d", user, id, servedAtMS-startMS)] = acted
		}); err != nil {
			t.Fatal(err)
		}
		want := map[string]uint8{"u 1 0": 0, "u 1 1000": popup.Click.Bit(), "u 1 3000": popup.Release.Bit(), "用户 9 0": 0}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("impressions (-want +got):\n%s", d)
		}
	})
}
