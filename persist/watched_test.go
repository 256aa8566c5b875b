package persist

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestEndedPopups: those that are active and whose schedule ended within the time.
func TestEndedPopups(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		for key, rest := range map[string]string{
			"open": `"status":"active"`, "later": `"status":"active","schedule":{"end_at":"2024-07-03T11:20:01Z"}`,
			"paused": `"status":"paused","schedule":{"end_at":"2024-07-03T11:00:00Z"}`, "before": `"status":"active","schedule":{"end_at":"2024-07-03T10:20:00Z"}`,
			"now": `"status":"active","schedule":{"end_at":"2024-07-03T11:20:00Z"}`, "earlier": `"status":"active","schedule":{"end_at":"2024-07-03T13:00:00+02:00"}`,
		} {
			mustCreate(t, s, fmt.Sprintf(`{"key":%q,%s}`, key, rest))
		}
		list, err := s.EndedPopups(t.Context(), startMS-hourMS, startMS)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, p := range list {
			keys = append(keys, fmt.Sprint(p.Key, " ", p.Schedule.EndAt.UTC().Format("15:04")))
		}
		if got, want := fmt.Sprint(keys), "[earlier 11:00 now 11:20]"; got != want {
			t.Errorf("ended: %s, want %s", got, want)
		}
	})
}

// TestStarvingPopups: those that were outranked often enough and never shown, since they are
// as they are.
func TestStarvingPopups(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const from = startMS - 24*hourMS
		s.clock.Store(from)
		id := map[string]uint32{}
		for _, key := range []string{"starves", "shown-in-the-sample", "control-in-the-sample", "shown", "controls", "too-few", "long-ago", "paused", "changed"} {
			id[key] = mustCreate(t, s, fmt.Sprintf(`{"key":%q,"status":"active"}`, key)).ID
		}
		s.clock.Store(from + 1)
		for _, key := range []string{"paused", "changed"} {
			p, err := s.Popup(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if key == "paused" {
				p.Status = popup.Paused
			}
			if _, err := s.Put(t.Context(), operator, 1, p.Spec); err != nil {
				t.Fatal(err)
			}
		}
		s.exec(t, "UPDATE popups SET updated_at = ? WHERE id = ?", from, id["paused"])
		var counts []popup.WhyNot
		count := func(key string, hour int64, reason popup.Reason, sampled uint64) {
			counts = append(counts, popup.WhyNot{PopupID: id[key], HourMS: from + hour*hourMS, Reason: reason, Polls: 8 * sampled, Sampled: sampled})
		}
		for key := range id {
			first := int64(0)
			if key == "long-ago" {
				first = -1
			}
			last := uint64(50)
			if key == "too-few" {
				last--
			}
			count(key, first, popup.Outranked, 50)
			count(key, 23, popup.Outranked, last)
			count(key, 1, popup.MinGap, 100)
		}
		count("shown-in-the-sample", 2, popup.Eligible, 1)
		count("control-in-the-sample", 2, popup.InControl, 1)
		count("starves", -1, popup.Eligible, 1)
		if err := s.AddWhyNot(t.Context(), counts); err != nil {
			t.Fatal(err)
		}
		for key, column := range map[string]string{"shown": "impressions", "controls": "controls"} {
			s.exec(t, "INSERT INTO popup_stats (popup_id, variant, hour, impressions, controls, clicks, dismisses, converts, views, releases, users, click_users, convert_users, control_users)"+
				" VALUES (?, 'a', ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)", id[key], int64(from))
			s.exec(t, "UPDATE popup_stats SET "+column+" = 1 WHERE popup_id = ?", id[key])
		}
		list, err := s.StarvingPopups(t.Context(), from, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 1 || list[0].Key != "starves" || list[0].Polls != 800 || list[0].Sampled != 100 || list[0].Version != 1 {
			t.Errorf("starving: %+v", list)
		}
	})
}
