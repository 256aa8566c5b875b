package persist

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// experimentModel is what users did, as the clients know it.
type experimentModel struct {
	isMixed     bool                                          // events come by two streams, either of which may be passed first
	impressions map[stateName]map[int64]*experimentImpression // by time of serving
	actions     map[stateName][]popup.Event                   // clicks, conversions and goals
	resets      map[string]int64
}

type experimentImpression struct {
	version uint32
	variant string
	acted   uint8
	before  int // how many actions the user had done when it became an exposure; -1: it is none
}

// isExposure reports whether it was seen and not released.
func (i *experimentImpression) isExposure() bool {
	isReleased := i.acted&16 != 0 && i.acted&7 == 0
	isSeen := i.acted&64 == 0 || i.acted&15 != 0
	return isSeen && !isReleased
}

// exportKey has cmp look at keys, whose popup is left out.
var exportKey = cmp.AllowUnexported(experimentKey{})

// isTested reports whether a version of the popup of the model has two variants.
func isTested(version uint32) bool { return version != 2 }

func (m *experimentModel) add(e popup.Event) {
	name := stateName{string(e.User), e.Popup}
	if e.Action == popup.Goal {
		m.actions[name] = append(m.actions[name], e)
		return
	}
	if m.impressions[name] == nil {
		m.impressions[name] = map[int64]*experimentImpression{}
	}
	i := m.impressions[name][e.ServedAtMS]
	if i == nil {
		i = &experimentImpression{version: e.Version, variant: string(e.Variant), before: -1}
		m.impressions[name][e.ServedAtMS] = i
	}
	i.acted |= actedBit(&e)
	if i.before < 0 && i.isExposure() {
		i.before = len(m.actions[name])
	}
	if e.Action == popup.Click || e.Action == popup.Convert {
		m.actions[name] = append(m.actions[name], e)
	}
}

// counts counts all users from the beginning. If several conversions may have been passed
// before the exposure, it takes the one that was kept, which has to be one of them all.
func (m *experimentModel) counts(kept map[stateName]int64) map[experimentKey]int64 {
	counts := map[experimentKey]int64{}
	for name, impressions := range m.impressions {
		resetMS := m.resets[name.user]
		var exposures []int64
		variants := map[string]bool{}
		for _, at := range slices.Sorted(maps.Keys(impressions)) {
			i := impressions[at]
			if at > resetMS && i.isExposure() && i.variant != "holdout" && isTested(i.version) {
				exposures = append(exposures, at)
				variants[i.variant] = true
			}
		}
		if len(exposures) == 0 {
			continue
		}
		first := impressions[exposures[0]]
		c := experimentKey{version: first.version, variant: first.variant, outcome: popup.Exposed}
		if len(variants) > 1 {
			c.outcome = popup.Mixed
			counts[c]++
			continue
		}
		counts[c]++
		for outcome, kinds := range map[popup.Outcome][]popup.Action{popup.Clicked: {popup.Click}, popup.Converted: {popup.Convert, popup.Goal}} {
			var times []int64
			early := 0 // how many of them may have been passed before the exposure
			for k, a := range m.actions[name] {
				isOf := a.Action == popup.Goal && a.AtMS >= exposures[0] ||
					a.Action != popup.Goal && slices.Contains(exposures, a.ServedAtMS)
				if slices.Contains(kinds, a.Action) && isOf {
					times = append(times, a.AtMS)
					if m.isMixed || k < first.before {
						early++
					}
				}
			}
			if len(times) > 0 {
				atMS := slices.Min(times)
				if outcome == popup.Converted && early > 1 && slices.Contains(times, kept[name]) {
					atMS = kept[name]
				}
				c.outcome, c.days = outcome, uint32(min(90, (atMS-exposures[0])/86_400_000))
				counts[c]++
				c.days = 0
			}
		}
	}
	return counts
}

// experimentCounts returns what the store counted, and checks that it is the sum over the
// rows of users.
func (s *store) experimentCounts(t testing.TB, id uint32) map[experimentKey]int64 {
	t.Helper()
	counts := map[experimentKey]int64{}
	rows, err := s.raw.Query("SELECT version, variant, outcome, days, users FROM experiment_count WHERE popup_id = ? AND users <> 0", id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collect(rows, func(r scanner) (k experimentKey, err error) {
		var n int64
		err = r.Scan(&k.version, &k.variant, &k.outcome, &k.days, &n)
		counts[k] = n
		return k, err
	}); err != nil {
		t.Fatal(err)
	}
	rows, err = s.raw.Query("SELECT exposed_ms, version, variant, mixed_ms, click_ms, convert_ms FROM experiment_user WHERE popup_id = ?", id)
	if err != nil {
		t.Fatal(err)
	}
	users, err := collect(rows, func(r scanner) (u experimentUser, err error) {
		err = r.Scan(&u.exposedMS, &u.version, &u.variant, &u.mixedMS, &u.clickMS, &u.convertMS)
		return u, err
	})
	if err != nil {
		t.Fatal(err)
	}
	sums := map[experimentKey]int64{}
	for i := range users {
		users[i].count(sums, 1)
	}
	if d := cmp.Diff(sums, counts, exportKey); d != "" {
		t.Errorf("counts are not those of the users' rows (-rows +counts):\n%s", d)
	}
	return counts
}

// keptConversions returns when users converted, by the store's rows of them.
func (s *store) keptConversions(t testing.TB) map[stateName]int64 {
	t.Helper()
	rows, err := s.raw.Query("SELECT user_id, popup_id, convert_ms FROM experiment_user")
	if err != nil {
		t.Fatal(err)
	}
	times := map[stateName]int64{}
	if _, err := collect(rows, func(r scanner) (name stateName, err error) {
		var atMS int64
		err = r.Scan(&name.user, &name.popup, &atMS)
		times[name] = atMS
		return name, err
	}); err != nil {
		t.Fatal(err)
	}
	return times
}

// experimentPopup makes a popup whose versions 1 and 3 have two variants and a control, and
// version 2 one variant.
func (s *store) experimentPopup(t testing.TB) popup.Popup {
	t.Helper()
	const three = `{"key":"x","variants":[{"key":"a"},{"key":"b"},{"key":"c","control":true}]}`
	p := mustCreate(t, s, three)
	for version, doc := range []string{`{"key":"x"}`, three} {
		var err error
		if p, err = s.Put(t.Context(), operator, uint32(version+1), spec(t, doc)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// passAll has servers pass all events.
func (s *store) passAll(t testing.TB) {
	t.Helper()
	s.exec(t, "UPDATE experiment_progress SET seq = 1 WHERE stream_no = 0") // no other server was at it lately
	if finished, err := s.countExperiments(t.Context(), time.Now().Add(time.Minute)); err != nil || !finished {
		t.Fatalf("count users of experiments: %v, %v", finished, err)
	}
}

// Users are counted as their clients' books say, in whatever order and streams events come,
// by two servers in turn, with passes between. After how many days they converted is exact,
// too, unless they had done so more than once before their exposure was passed.
func TestExperimentModel(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		servers := []*DB{s.DB, s.DB}
		if s.dialect.isSession {
			servers[1] = s.open(t)
		}
		rapid.Check(t, func(r *rapid.T) {
			s.empty(t)
			isMixed := rapid.Bool().Draw(r, "two streams")
			m := &experimentModel{isMixed, map[stateName]map[int64]*experimentImpression{}, map[stateName][]popup.Event{}, map[string]int64{}}
			var streams [2][]popup.Event
			put := func(e popup.Event) {
				m.add(e)
				k := 0
				if isMixed {
					k = rapid.IntRange(0, 1).Draw(r, "stream")
				}
				streams[k] = append(streams[k], e)
				if isMixed && rapid.IntRange(0, 9).Draw(r, "replay") == 0 {
					streams[1-k] = append(streams[1-k], e)
				}
			}
			for u := range rapid.IntRange(1, 6).Draw(r, "users") {
				drawUser(r, string(rune('u'+u)), p.ID, put)
			}
			for k := range streams {
				s.register(t, streamID(byte(k)))
			}
			var done [2]int
			for done[0] < len(streams[0]) || done[1] < len(streams[1]) {
				k := rapid.IntRange(0, 1).Draw(r, "flush")
				if n := min(rapid.IntRange(0, 12).Draw(r, "events"), len(streams[k])-done[k]); n > 0 {
					s.mustFlush(t, batchOf(streamID(byte(k)), uint64(done[k]), streams[k][done[k]:done[k]+n]...))
					done[k] += n
				}
				if rapid.IntRange(0, 2).Draw(r, "pass") == 0 {
					s.exec(t, "UPDATE experiment_progress SET seq = 1 WHERE stream_no = 0")
					if _, err := servers[rapid.IntRange(0, 1).Draw(r, "server")].countExperiments(t.Context(), time.Now().Add(time.Minute)); err != nil {
						r.Fatal(err)
					}
				}
			}
			s.passAll(t)
			want, got := m.counts(s.keptConversions(t)), s.experimentCounts(t, p.ID)
			if d := cmp.Diff(want, got, exportKey); d != "" {
				r.Errorf("counts (-want +got):\n%s", d)
			}
		})
	})
}

// drawUser draws what a user does with a popup. What follows an impression, goals too, may be
// put before impressions that are earlier in time.
func drawUser(r *rapid.T, user string, id uint32, put func(popup.Event)) {
	atMS := int64(startMS)
	mayReach := true // a goal that is passed before a release of what it follows may be lost
	for nth := range uint32(rapid.IntRange(0, 4).Draw(r, "impressions")) {
		atMS += rapid.Int64Range(1, 40*hourMS).Draw(r, "wait")
		e := shown(user, atMS)
		e.Popup, e.Nth = id, nth+1
		e.Version = rapid.SampledFrom([]uint32{1, 1, 2, 3}).Draw(r, "version")
		e.Variant = []byte(rapid.SampledFrom([]string{"a", "a", "a", "a", "b", "holdout"}).Draw(r, "variant"))
		if rapid.IntRange(0, 4).Draw(r, "control") == 0 || string(e.Variant) == "holdout" {
			e.Action = popup.Control
			put(e)
		} else {
			switch rapid.IntRange(0, 3).Draw(r, "kind") {
			case 0:
				e.Nth = 0 // unconfirmed
			case 1:
				put(actionOn(e, popup.Release, 50))
				mayReach = false
			}
			put(e)
			for _, a := range rapid.SliceOfN(rapid.SampledFrom([]popup.Action{popup.Click, popup.Dismiss, popup.Convert, popup.View}), 0, 3).Draw(r, "actions") {
				put(actionOn(e, a, rapid.Int64Range(1, 60*hourMS).Draw(r, "after")))
			}
		}
		if mayReach && rapid.IntRange(0, 2).Draw(r, "goal") == 0 {
			g := purchased(user, atMS+rapid.Int64Range(1, 60*hourMS).Draw(r, "after"), startMS)
			g.Popup, g.Version = id, e.Version
			put(g)
		}
	}
}

// actionOn returns an action on an impression.
func actionOn(e popup.Event, a popup.Action, afterMS int64) popup.Event {
	e.Action, e.AtMS, e.ClickUntilMS = a, e.ServedAtMS+afterMS, 0
	return e
}
