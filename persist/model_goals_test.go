package persist

import "github.com/popupd/popupd/popup"

// modelGoal is a goal that waits for its exposure.
type modelGoal struct {
	stateKey
	stream popup.StreamID
	seq    uint64
	atMS   int64
	since  int64
}

func (g modelGoal) before(o modelGoal) bool {
	if g.atMS != o.atMS {
		return g.atMS < o.atMS
	}
	if g.stream != o.stream {
		return g.stream.String() < o.stream.String()
	}
	return g.seq < o.seq
}

// decide counts, of each user and popup of a batch, the first goal that has an exposure.
func (m *model) decide(stream popup.StreamID, goals []popup.Event, touched map[stateKey]bool) {
	nowhere := map[modelGoal]popup.Event{}
	for _, e := range goals {
		k := stateKey{string(e.User), e.Popup}
		m.ever[k] |= 128
		s := m.states[k]
		s.Merge(popup.State{})
		m.states[k] = s
		g := modelGoal{k, stream, e.Seq, e.AtMS, e.ServedAtMS}
		m.pending[g], nowhere[g] = true, e
		e.ServedAtMS, e.Variant = e.AtMS, nil
		m.putEvent(stream, e, k.user, true)
	}
	for k := range touched {
		for m.ever[k]&8 == 0 {
			var first *modelGoal
			for g := range m.pending {
				if g.stateKey == k && m.exposure(g) != nil && (first == nil || g.before(*first)) {
					first = &g
				}
			}
			if first == nil {
				break
			}
			m.convert(*first, nowhere)
		}
		if m.ever[k]&8 != 0 {
			for g := range m.pending {
				if g.stateKey == k {
					delete(m.pending, g)
				}
			}
		}
	}
}

// exposure returns the first impression in the window of a goal.
func (m *model) exposure(g modelGoal) (first *impressionKey) {
	for k := range m.impressions {
		if k.stateKey == g.stateKey && g.since <= k.servedAtMS && k.servedAtMS <= g.atMS && (first == nil || k.servedAtMS < first.servedAtMS) {
			first = &k
		}
	}
	return first
}

func (m *model) convert(g modelGoal, ofBatch map[modelGoal]popup.Event) {
	k := *m.exposure(g)
	i := m.impressions[k]
	i.acted |= 128
	m.impressions[k] = i
	m.ever[g.stateKey] |= 8
	e, ok := ofBatch[g]
	if !ok { // versions are all 1
		e = popup.Event{Seq: g.seq, AtMS: g.atMS, Popup: g.popup, Version: 1, Action: popup.Goal}
	}
	e.ServedAtMS, e.Variant = k.servedAtMS, []byte(i.variant)
	m.putEvent(g.stream, e, g.user, false)
	m.count(&e, true)
}
