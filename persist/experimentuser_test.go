package persist

import (
	"testing"

	"github.com/popupd/popupd/popup"
)

// Who reached the goal before the exposure was counted is converted all the same. Of two such
// goals the earlier one is forgotten, and so is what was repeated before a release.
func TestExperimentOfLateExposures(t *testing.T) {
	const dayMS = 24 * hourMS
	const goal1, goal2 = startMS + dayMS/2, startMS + 3*dayMS/2
	purchase := func(atMS int64) popup.Event { return purchased("", atMS, startMS) }
	first, second := shown("", startMS), shown("", startMS+dayMS)
	unconfirmed := first
	unconfirmed.Nth = 0
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		id := streamID(1)
		s.register(t, id)
		seq := uint64(0)
		for _, c := range []struct {
			user   string
			events []popup.Event // one pass each
			days   int64         // after the exposure; -1: no conversion counts
		}{
			{"in order", []popup.Event{first, purchase(goal1), purchase(goal2)}, 0},
			{"one goal before", []popup.Event{purchase(goal1), first, purchase(goal2)}, 0},
			{"the later goal before", []popup.Event{purchase(goal2), first, purchase(goal1)}, 0},
			{"two goals before", []popup.Event{purchase(goal1), purchase(goal2), first}, 1},
			{"two goals before, the later one first", []popup.Event{purchase(goal2), purchase(goal1), first}, 1},
			{"two goals before, one of which does not follow", []popup.Event{purchase(goal1), purchase(goal2), second}, 0},
			{"confirmed after one goal", []popup.Event{unconfirmed, purchase(goal1), clicked("", startMS, goal1+1), purchase(goal2)}, 0},
			{"confirmed after two goals", []popup.Event{unconfirmed, purchase(goal1), purchase(goal2), clicked("", startMS, goal2+1)}, 1},
			{"after a later exposure", []popup.Event{purchase(goal1), second, first, purchase(goal2)}, 0},
			{"after a later exposure and its goal", []popup.Event{purchase(goal1), second, purchase(goal2), first}, 1},
			{"released before the second goal", []popup.Event{first, purchase(goal1), second, as(popup.Release, first), purchase(goal2)}, 0},
			{"released after the second goal", []popup.Event{first, purchase(goal1), second, purchase(goal2), as(popup.Release, first)}, -1},
		} {
			for _, e := range of(p.ID, c.events...) {
				e.User = []byte(c.user)
				s.mustFlush(t, batchOf(id, seq, e))
				seq++
				s.passAll(t)
			}
			var exposedMS, convertMS int64
			if err := s.raw.QueryRow("SELECT exposed_ms, convert_ms FROM experiment_user WHERE user_id = ?", s.dialect.user([]byte(c.user))).Scan(&exposedMS, &convertMS); err != nil {
				t.Fatal(err)
			}
			days := int64(-1)
			if convertMS >= exposedMS {
				days = (convertMS - exposedMS) / dayMS
			}
			if days != c.days {
				t.Errorf("%s: converted after %d days, want %d", c.user, days, c.days)
			}
		}
	})
}
