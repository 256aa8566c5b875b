package snapshot

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/popupd/popupd/popup"
)

// selectionOrder orders popups by priority, high to low, then by id, low to high.
func selectionOrder(a, b *Popup) int {
	if a.Priority != b.Priority {
		return cmp.Compare(b.Priority, a.Priority)
	}
	return cmp.Compare(a.ID, b.ID)
}

// hashName and hashString place names in a [tree].
func hashName(name []byte) uint64   { return xxhash.Sum64(name) }
func hashString(name string) uint64 { return xxhash.Sum64String(name) }

// changes are the popups of a snapshot before that are not in the next, and those of the next
// that are not in the one before. A popup that has been changed is in both, as two.
type changes struct{ out, in []*Popup }

// finish completes s, which has all but popups, with those of the snapshot before but for
// the changes.
func (c *compiler) finish(s *Snapshot, changes changes) {
	previous := c.previous
	if previous == nil {
		previous = &Snapshot{}
	}
	slices.SortFunc(changes.out, selectionOrder)
	slices.SortFunc(changes.in, selectionOrder)
	s.zones, s.users = previous.zones, c.users
	if len(c.zones) > 0 {
		s.zones = c.zones
		maps.Copy(s.zones, previous.zones)
	}
	s.byID, s.byKey = previous.byID, previous.byKey
	for _, p := range changes.out {
		s.byID = s.byID.without(uint64(p.ID), p.ID)
		s.byKey = s.byKey.without(hashString(p.Key), p.Key)
	}
	ids, keys := make([]entry[uint32, *Popup], len(changes.in)), make([]entry[string, uint32], len(changes.in))
	for i, p := range changes.in {
		ids[i] = entry[uint32, *Popup]{uint64(p.ID), p.ID, p}
		keys[i] = entry[string, uint32]{hashString(p.Key), p.Key, p.ID}
	}
	s.byID, s.byKey = s.byID.with(ids...), s.byKey.with(keys...)
	s.changed = changes.in
	for _, p := range changes.out {
		if s.Popup(p.ID) == nil {
			s.removed = append(s.removed, p)
		}
	}
	if all := previous.all.Load(); all != nil {
		s.before = *all
	}
	s.changeGoals(previous, changes)
	s.changePlacements(previous, changes, c.workers())
	s.planAudiences(previous)
}

// Len returns how many popups there are that are not archived, without listing them.
func (s *Snapshot) Len() int {
	if s == nil {
		return 0
	}
	return s.byID.size
}

// All returns every popup that is not archived, in selection order. The caller
// must not change the slice.
func (s *Snapshot) All() []*Popup {
	if s == nil {
		return nil
	}
	if all := s.all.Load(); all != nil {
		return *all
	}
	all := make([]*Popup, 0, s.byID.size)
	if s.before == nil {
		s.byID.each(func(p *Popup) { all = append(all, p) })
		slices.SortFunc(all, selectionOrder)
	} else {
		added := s.changed
		for _, p := range s.before {
			for len(added) > 0 && selectionOrder(added[0], p) < 0 {
				all, added = append(all, added[0]), added[1:]
			}
			if s.Popup(p.ID) == p {
				all = append(all, p)
			}
		}
		all = append(all, added...)
	}
	s.all.Store(&all)
	return all
}

// changeGoals makes byGoal from that of the snapshot before.
func (s *Snapshot) changeGoals(previous *Snapshot, changes changes) {
	s.byGoal = previous.byGoal
	hasGoal := func(p *Popup) bool {
		return p.goal != "" && (p.Status == popup.Active || p.Status == popup.Paused)
	}
	out, in := groupBy(changes.out, func(p *Popup) (string, bool) { return p.goal, hasGoal(p) }), groupBy(changes.in, func(p *Popup) (string, bool) { return p.goal, hasGoal(p) })
	for name := range unionOfKeys(out, in) {
		hash := hashString(name)
		popups := slices.Clone(in[name])
		for _, p := range s.byGoal.get(hash, name) {
			if s.Popup(p.ID) == p {
				popups = append(popups, p)
			}
		}
		if len(popups) == 0 {
			s.byGoal = s.byGoal.without(hash, name)
			continue
		}
		slices.SortFunc(popups, selectionOrder)
		s.byGoal = s.byGoal.with(entry[string, []*Popup]{hash, name, popups})
	}
}

// changePlacements makes byPlacement and active from those of the snapshot before.
func (s *Snapshot) changePlacements(previous *Snapshot, of changes, workers int) {
	type key struct{ placement, trigger string }
	byKey := map[key]*changes{}
	at := func(p *Popup, add func(*changes)) {
		for _, name := range p.placements {
			k := key{name, p.trigger}
			if byKey[k] == nil {
				byKey[k] = &changes{}
			}
			add(byKey[k])
		}
	}
	var active changes
	s.byAddress, s.naming = previous.byAddress, previous.naming
	for _, p := range of.out {
		if p.Status == popup.Active {
			s.byAddress -= p.targeting.count(attrIP)
			s.naming -= p.targeting.count(attrAudience)
			active.out = append(active.out, p)
			at(p, func(c *changes) { c.out = append(c.out, p) })
		}
	}
	for _, p := range of.in {
		if p.Status == popup.Active {
			active.in = append(active.in, p)
			s.byAddress += p.targeting.count(attrIP)
			s.naming += p.targeting.count(attrAudience)
			at(p, func(c *changes) { c.in = append(c.in, p) })
		}
	}
	s.active = previous.active.with(active, plainSegments)
	s.byPlacement, s.triggered = previous.byPlacement, previous.triggered
	if len(byKey) == 0 {
		return
	}
	// There are few placements; most polls name one, which a map finds fastest.
	s.byPlacement = make(map[string]*placement, len(previous.byPlacement)+1)
	maps.Copy(s.byPlacement, previous.byPlacement)
	keys := slices.SortedFunc(maps.Keys(byKey), func(a, b key) int { // those that take longest first
		return cmp.Compare(len(byKey[b].in), len(byKey[a].in))
	})
	indexes := make([]*index, len(keys))
	inParallel(len(keys), workers, func(i int) {
		last := previous.byPlacement[keys[i].placement].index([]byte(keys[i].trigger))
		indexes[i] = last.with(*byKey[keys[i]], newSegments)
	})
	for i, k := range keys {
		last := s.byPlacement[k.placement]
		now := last.with(k.trigger, indexes[i])
		if s.byPlacement[k.placement] = now; now == nil {
			delete(s.byPlacement, k.placement)
		}
		s.triggered += now.triggerCount() - last.triggerCount()
	}
}

func groupBy(popups []*Popup, keyOf func(*Popup) (string, bool)) map[string][]*Popup {
	groups := map[string][]*Popup{}
	for _, p := range popups {
		if key, ok := keyOf(p); ok {
			groups[key] = append(groups[key], p)
		}
	}
	return groups
}

func unionOfKeys[V any](a, b map[string]V) map[string]bool {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return keys
}
