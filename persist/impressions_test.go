package persist

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// What caps count comes back with what the user did with it, all of it or what has changed;
// controls are none of it.
func TestRestoreImpressions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const second = 1000
		control, released := shown("u", startMS+2*second), clicked("u", startMS+3*second, startMS+4*second)
		control.Action, released.Action, released.ClickUntilMS = popup.Control, popup.Release, 0
		other, unconfirmed := shown("用户", startMS), shown("v", startMS)
		other.Popup, unconfirmed.Nth = 9, 0
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS-1), shown("u", startMS), shown("u", startMS+second),
			clicked("u", startMS+second, startMS+2*second), control, shown("u", startMS+3*second), released, other, unconfirmed))
		all := map[string]uint8{
			"u 1 0": 0, "u 1 1000": popup.Click.Bit(), "u 1 3000": popup.Release.Bit(), "用户 9 0": 0, "v 1 0": popup.Unconfirmed,
		}
		for name, c := range map[string]struct {
			found Found
			want  map[string]uint8
		}{
			"all":     {Found{Full: "why"}, all},
			"changes": {Found{ranges: []seqRange{{1, 3, 4}, {1, 7, 8}}}, map[string]uint8{"u 1 1000": popup.Click.Bit(), "用户 9 0": 0}},
			"nothing": {Found{}, map[string]uint8{}},
		} {
			got := map[string]uint8{}
			if err := s.RestoreImpressions(t.Context(), &c.found, startMS-1, func(user []byte, id uint32, servedAtMS int64, acted uint8) {
				got[fmt.Sprintf("%s %d %d", user, id, servedAtMS-startMS)] = acted
			}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	})
}
