package snapshot

import "sync/atomic"

// Detached returns the same snapshot for decisions at other times than now. An index
// remembers which popups are open, for as long as that does not change: decisions at several
// times would have each other compute it anew, and so delay the polls of the moment. The
// detached snapshot has a memory of its own, and shares everything else.
func (s *Snapshot) Detached() *Snapshot {
	if s == nil {
		return nil
	}
	d := &Snapshot{
		Revision: s.Revision, settings: s.settings, capsEra: s.capsEra, byID: s.byID, byKey: s.byKey, byGoal: s.byGoal,
		byPlacement: make(map[string]*placement, len(s.byPlacement)), active: s.active.detached(),
		triggered: s.triggered, byAddress: s.byAddress, zones: s.zones, users: s.users, broken: s.broken, newest: s.newest,
		changed: s.changed, removed: s.removed, before: s.before,
	}
	for name, p := range s.byPlacement {
		d.byPlacement[name] = p.detached()
	}
	d.all.Store(s.all.Load())
	return d
}

func (p *placement) detached() *placement {
	d := &placement{load: p.load.detached(), triggers: p.triggers}
	if len(p.others) > 0 {
		d.others = make(map[string]*index, len(p.others))
	}
	for trigger, x := range p.others {
		d.others[trigger] = x.detached()
	}
	return d
}

func (x *index) detached() *index {
	if x == nil {
		return nil
	}
	d := &index{size: x.size, parts: make([]*part, len(x.parts))}
	for i, p := range x.parts {
		d.parts[i] = &part{segment: p.segment, build: p.build, live: p.live, size: p.size}
		if p.local != nil {
			d.parts[i].local = new([localStates]atomic.Pointer[openState])
		}
	}
	return d
}
