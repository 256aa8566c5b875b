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
	byPlacement := make(map[string]*placement, len(s.byPlacement))
	for name, p := range s.byPlacement {
		byPlacement[name] = p.detached()
	}
	return s.with(byPlacement, s.active.detached())
}

// with returns the snapshot with other indexes of the same popups.
func (s *Snapshot) with(byPlacement map[string]*placement, active *index) *Snapshot {
	c := &Snapshot{
		Revision: s.Revision, settings: s.settings, capsEra: s.capsEra, byID: s.byID, byKey: s.byKey, byGoal: s.byGoal,
		byPlacement: byPlacement, active: active,
		triggered: s.triggered, byAddress: s.byAddress, zones: s.zones, users: s.users, broken: s.broken, newest: s.newest,
		audiences: s.audiences, audienceKey: s.audienceKey, naming: s.naming, plans: s.plans, rulesUseIP: s.rulesUseIP,
		changed: s.changed, removed: s.removed, before: s.before,
	}
	c.all.Store(s.all.Load())
	return c
}

// unchanged says that the popups are those of the snapshot that this is a copy of.
func (s *Snapshot) unchanged() {
	s.changed, s.removed = nil, nil
	s.before = nil // which lacks what had changed there
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
