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

// The latest impressions of a user come newest first, with what became of each, and of the
// popups that were asked for.
func TestRecentImpressions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		events := []popup.Event{shown("v", startMS)}
		for i := range int64(5) {
			first, second := shown("用户", startMS+10*i), shown("用户", startMS+10*i+5)
			second.Popup, second.Variant = 2, []byte("b")
			events = append(events, first, second)
		}
		third := shown("用户", startMS+1000)
		third.Popup = 3
		control := shown("用户", startMS+60)
		control.Action, control.Version = popup.Control, 7
		s.mustFlush(t, batchOf(streamID(1), 0, append(events, third, control, clicked("用户", startMS+40, startMS+50))...))
		at := func(id uint32, ms int64, variant string, acted uint8) popup.Served {
			return popup.Served{PopupID: id, Version: 1, Variant: variant, AtMS: startMS + ms, Acted: acted}
		}
		isControl := at(1, 60, "a", popup.ControlBit)
		isControl.Version = 7
		for _, c := range []struct {
			user  string
			ids   []uint32
			limit int
			want  []popup.Served
		}{
			{"用户", []uint32{1, 2}, 4, []popup.Served{isControl, at(2, 45, "b", 0), at(1, 40, "a", popup.Click.Bit()), at(2, 35, "b", 0)}},
			{"用户", []uint32{2, 9}, 2, []popup.Served{at(2, 45, "b", 0), at(2, 35, "b", 0)}},
			{"v", []uint32{1, 2}, 4, []popup.Served{at(1, 0, "a", 0)}},
			{"v", nil, 4, nil},
			{"V", []uint32{1}, 4, nil},
		} {
			got, err := s.RecentImpressions(t.Context(), []byte(c.user), c.ids, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s, popups %v (-want +got):\n%s", c.user, c.ids, d)
			}
		}
	})
}
