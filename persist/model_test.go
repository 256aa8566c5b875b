package persist

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// model is what the store should hold, done one event at a time.
type model struct {
	last   map[popup.StreamID]uint64
	events map[string]string // stream and seq to the row
	states map[stateKey]popup.State
	stats  map[string]popup.Counts // by popup, hour and variant
	erased map[string]int64

	impressions map[impressionKey]impressionFields
	ever        map[stateKey]uint8
	pending     map[modelGoal]bool
}

type impressionKey struct {
	stateKey
	servedAtMS int64
}

type impressionFields struct {
	version uint32
	variant string
	acted   uint8
}

var exportModel = cmp.AllowUnexported(model{}, stateKey{}, impressionKey{}, impressionFields{}, modelGoal{})

func newModel() *model {
	return &model{
		last: map[popup.StreamID]uint64{}, events: map[string]string{}, states: map[stateKey]popup.State{},
		stats: map[string]popup.Counts{}, erased: map[string]int64{},
		impressions: map[impressionKey]impressionFields{}, ever: map[stateKey]uint8{}, pending: map[modelGoal]bool{},
	}
}

// flush reports whether the batch stands where the stream does, and applies it.
func (m *model) flush(b *popup.Batch) bool {
	if m.last[b.Stream] != b.After {
		return false
	}
	m.last[b.Stream] = b.Last
	for _, e := range b.Events {
		if e.Action == popup.Reset {
			m.reset(string(e.User), e.AtMS)
		}
	}
	nth := map[string]uint32{}
	var goals []popup.Event
	touched := map[stateKey]bool{}
	for _, e := range b.Events {
		at, ok := m.erased[string(e.User)]
		void := ok && e.ServedAtMS <= at
		if e.Action == popup.Goal {
			void = ok && e.AtMS <= at
		}
		repeated, first := false, false
		user := string(e.User)
		switch {
		case e.Action == popup.Reset:
			user = ""
		case void:
			user, repeated = "", e.Action != popup.Impression && e.Action != popup.Control
		case e.Action == popup.Goal:
			goals = append(goals, e)
			touched[stateKey{user, e.Popup}] = true
			continue
		default:
			touched[stateKey{user, e.Popup}] = true
			repeated, first = m.remember(&e)
			nth[user] = max(nth[user], e.State().Impressions)
		}
		if e.Action == popup.Goal { // void
			e.ServedAtMS, e.Variant = e.AtMS, nil
		}
		m.putEvent(b.Stream, e, user, repeated)
		if e.Action != popup.Reset && !repeated {
			m.count(&e, first)
		}
	}
	for user, at := range m.erased {
		if nth[user] > 1 {
			m.rebuild(user, at)
		}
	}
	m.decide(b.Stream, goals, touched)
	return true
}

func (m *model) putEvent(stream popup.StreamID, e popup.Event, user string, repeated bool) {
	m.events[fmt.Sprint(stream, " ", e.Seq)] = fmt.Sprint(
		e.AtMS, user, e.Popup, e.Version, string(e.Variant), uint8(e.Action), e.ServedAtMS, e.Nth, repeated)
}

func (m *model) reset(user string, atMS int64) {
	if at, ok := m.erased[user]; !ok || at < atMS {
		m.erased[user] = atMS
	}
	for k, s := range m.states {
		if k.user == user && s.ServedAtMS <= atMS {
			delete(m.states, k)
			delete(m.ever, k)
		}
	}
	for k := range m.impressions {
		if k.user == user && k.servedAtMS <= atMS {
			delete(m.impressions, k)
		}
	}
	for g := range m.pending {
		if g.user == user && g.atMS <= atMS {
			delete(m.pending, g)
		}
	}
	m.rebuild(user, atMS)
}

// rebuild has the states of a user know nothing of before a reset.
func (m *model) rebuild(user string, atMS int64) {
	for k, s := range m.states {
		if k.user != user {
			continue
		}
		ever, asked, seen := uint8(128), false, uint32(0)
		for i, fields := range m.impressions {
			if i.stateKey != k {
				continue
			}
			a := fields.acted
			asked = asked || a&7 != 0
			ever |= a&1<<2 | a&4<<1 | a&128>>4
			switch {
			case a&32 != 0:
				ever |= 2
			case a&23 == 16: // released
				ever |= 1
			default:
				ever |= 1
				seen++
			}
		}
		isReleased, isUnconfirmed := s.Acted&23 == 16, s.Acted&79 == 64
		switch {
		case isReleased && !isUnconfirmed:
			seen++
		case !isReleased && isUnconfirmed && seen > 0:
			seen--
		}
		if s.ShownAtMS <= atMS {
			s.ShownAtMS = 0
		}
		s.Impressions = min(s.Impressions, seen)
		if !asked {
			if s.NextAtMS == s.ClickUntilMS {
				s.NextAtMS = 0
			}
			s.ClickUntilMS = 0
		}
		m.states[k], m.ever[k] = s, ever
	}
}

// remember tells whether an action was done before, and whether it is the first of its
// kind by this user with this popup.
func (m *model) remember(e *popup.Event) (repeated, first bool) {
	k := stateKey{string(e.User), e.Popup}
	ik := impressionKey{k, e.ServedAtMS}
	i, ok := m.impressions[ik]
	if !ok {
		i = impressionFields{version: e.Version, variant: string(e.Variant)}
	}
	bits := map[popup.Action]uint8{popup.Click: 1, popup.Dismiss: 2, popup.Convert: 4, popup.View: 8, popup.Release: 16}
	repeated = i.acted&bits[e.Action] != 0
	bits[popup.Control] = 32
	if e.Nth == 0 {
		bits[popup.Impression] = 64
	}
	i.acted |= bits[e.Action]
	m.impressions[ik] = i

	var bit uint8
	switch {
	case e.Action == popup.Impression && e.Nth < 2:
		bit = 1
	case e.Action == popup.Control && e.Nth < 2:
		bit = 2
	case e.Action == popup.Click && !repeated:
		bit = 4
	case e.Action == popup.Convert && !repeated:
		bit = 8
	}
	first = bit&^m.ever[k] != 0
	m.ever[k] |= bit | 128

	s, ok := m.states[k]
	if !ok {
		s = e.State()
	}
	s.Merge(e.State())
	m.states[k] = s
	return repeated, first
}

func (m *model) count(e *popup.Event, first bool) {
	hour := e.AtMS / hourMS * hourMS
	k := fmt.Sprint(e.Popup, hour, string(e.Variant))
	c := m.stats[k]
	c.Variant, c.HourMS = string(e.Variant), hour
	users := new(uint64)
	switch e.Action {
	case popup.Impression:
		c.Impressions++
		users = &c.Users
	case popup.Click:
		c.Clicks++
		users = &c.ClickUsers
	case popup.Dismiss:
		c.Dismisses++
	case popup.Convert, popup.Goal:
		c.Converts++
		users = &c.ConvertUsers
	case popup.Control:
		c.Controls++
		users = &c.ControlUsers
	case popup.View:
		c.Views++
	case popup.Release:
		c.Releases++
	}
	if first {
		*users++
	}
	m.stats[k] = c
}

// drawEvent draws from few values, so that ties and repeats are common. Some
// user ids differ only in case and trailing spaces, one ends a literal.
func drawEvent(t *rapid.T) popup.Event {
	small := rapid.Int64Range(0, 4)
	e := popup.Event{
		AtMS: startMS + small.Draw(t, "at")*hourMS/3, ServedAtMS: startMS + small.Draw(t, "served at"),
		User:    []byte(rapid.SampledFrom([]string{"u", "U", "u ", "用户", `'\`, "\xff\x00"}).Draw(t, "user")),
		Popup:   rapid.Uint32Range(1, 2).Draw(t, "popup"),
		Version: 1, Variant: []byte(rapid.SampledFrom([]string{"a", "b-2", ""}).Draw(t, "variant")),
		Action:    popup.Action(rapid.IntRange(int(popup.Impression), int(popup.Goal)).Draw(t, "action")),
		Nth:       rapid.Uint32Range(0, 3).Draw(t, "nth"),
		ReadyAtMS: startMS + small.Draw(t, "ready at"),
	}
	switch e.Action {
	case popup.Click, popup.Convert:
		e.ClickUntilMS = e.ReadyAtMS
	case popup.Goal:
		e.Variant, e.Nth, e.ReadyAtMS = nil, 0, 0
		e.AtMS = startMS + small.Draw(t, "goal at")
		e.ServedAtMS = e.AtMS - small.Draw(t, "window")
		if rapid.Bool().Draw(t, "says the latest") {
			e.ReadyAtMS = rapid.Int64Range(e.ServedAtMS, e.AtMS).Draw(t, "latest")
		}
	case popup.Reset:
		e.Popup, e.Version, e.Variant, e.Nth, e.ReadyAtMS, e.ServedAtMS = 0, 0, nil, 0, 0, 0
	}
	return e
}

func TestFlushIsLikeTheModel(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		rapid.Check(t, func(rt *rapid.T) {
			s.empty(t)
			s.flusher.writer.chunk = rapid.SampledFrom([]int{2, 3, chunkRows}).Draw(rt, "chunk")
			s.flusher.writer.begin(1<<24, s.dialect.isSession && storetest.IsMariaDB() && rapid.Bool().Draw(rt, "returning"))
			m := newModel()
			for i := range byte(2) {
				s.register(t, streamID(i))
				m.last[streamID(i)] = 0
			}
			var sent []*popup.Batch
			for range rapid.IntRange(1, 8).Draw(rt, "flushes") {
				var b *popup.Batch
				if len(sent) > 0 && rapid.IntRange(0, 3).Draw(rt, "replay") == 0 {
					b = rapid.SampledFrom(sent).Draw(rt, "batch")
				} else {
					id := streamID(rapid.ByteRange(0, 1).Draw(rt, "stream"))
					b = batchOf(id, m.last[id], rapid.SliceOfN(rapid.Custom(drawEvent), 1, 12).Draw(rt, "events")...)
					sent = append(sent, b)
				}
				last, err := s.Flush(t.Context(), b)
				if m.flush(b) {
					if err != nil || last != b.Last {
						rt.Fatalf("Flush = %d, %v; want %d", last, err, b.Last)
					}
				} else if !errors.Is(err, ErrConflict) {
					rt.Fatalf("Flush of what is not next = %d, %v; want %v", last, err, ErrConflict)
				}
			}
			if d := cmp.Diff(m, s.contents(t), exportModel); d != "" {
				rt.Fatalf("store (-model +store):\n%s", d)
			}
			s.checkIdentity(t)
		})
	})
}

// The upsert must say the same as State.Merge, whatever the order.
func TestUpsertIsMerge(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		s.register(t, streamID(1))
		want := map[stateKey]popup.State{}
		users, rounds := 1500, 5
		if testing.Short() {
			users = 300
		}
		given := make([][]popup.Event, users)
		for u := range given {
			for range rounds {
				e := popup.Event{
					AtMS: r.Int64N(3), ServedAtMS: r.Int64N(3), User: fmt.Appendf(nil, "user %d", u), Popup: 1,
					Action: []popup.Action{
						popup.Impression, popup.Click, popup.Dismiss, popup.Convert, popup.Control, popup.View, popup.Release,
					}[r.IntN(7)],
					Nth: r.Uint32N(3), ReadyAtMS: r.Int64N(4),
				}
				switch e.Action {
				case popup.Click, popup.Convert:
					e.ClickUntilMS = e.ReadyAtMS
				case popup.Release:
					e.ReadyAtMS = 0
				}
				given[u] = append(given[u], e)
			}
			k := stateKey{string(given[u][0].User), 1}
			merged := given[u][0].State()
			for _, e := range given[u][1:] {
				merged.Merge(e.State())
			}
			want[k] = merged
			r.Shuffle(rounds, func(i, j int) { given[u][i], given[u][j] = given[u][j], given[u][i] })
		}
		after := uint64(0)
		for round := range rounds {
			var events []popup.Event
			for u := range given {
				events = append(events, given[u][round])
			}
			s.mustFlush(t, batchOf(streamID(1), after, events...))
			after += uint64(len(events))
		}
		if d := cmp.Diff(want, s.contents(t).states, cmp.AllowUnexported(stateKey{})); d != "" {
			t.Errorf("states (-merged +stored):\n%s", d)
		}
	})
}

// A row of an earlier release has a dismiss's wait in next_at_ms alone, and does
// not say when the user saw the popup.
func TestRowsOfEarlierReleases(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		before := popup.State{
			Impressions: 1, ServedAtMS: startMS, Acted: popup.Dismiss.Bit(), Last: popup.Dismiss, AtMS: startMS + 1, NextAtMS: startMS + 5000,
		}
		insert := "INSERT INTO user_popup (user_id, popup_id, impressions, last_impression_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms)" +
			" VALUES (?, 1, 1, ?, 2, 3, ?, 0, ?)"
		for _, user := range []string{"waits", "sees another"} {
			s.exec(t, insert, s.dialect.user([]byte(user)), startMS, startMS+1, startMS+5000)
		}
		next := shown("sees another", startMS+10)
		next.Nth, next.ReadyAtMS = 2, startMS+20
		s.mustFlush(t, batchOf(streamID(1), 0, next))
		before.Upgrade()
		after := before
		after.Merge(next.State())
		want := map[stateKey]popup.State{{"waits", 1}: before, {"sees another", 1}: after}
		if d := cmp.Diff(want, s.states(t, startMS), cmp.AllowUnexported(stateKey{})); d != "" {
			t.Errorf("states (-want +got):\n%s", d)
		}
		if after.NextAtMS != startMS+5000 {
			t.Errorf("next at %d, want the dismiss's wait to hold", after.NextAtMS)
		}
	})
}
