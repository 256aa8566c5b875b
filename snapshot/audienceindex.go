package snapshot

import (
	"slices"

	"github.com/popupd/popupd/popup"
)

// audienceIndex is the conditions of a segment's popups on audiences. To a request they are
// conditions on an attribute whose values are the keys of the audiences that its user is in.
type audienceIndex struct {
	keys    []string   // that are named, sorted
	naming  []postings // by key: popups that name it
	members []uint64   // popups that name any
	indexes []*predicateIndex
}

// newAudienceIndex returns the audiences that a segment's popups name; nil: none.
func newAudienceIndex(popups []*Popup) *audienceIndex {
	var x *audienceIndex
	numbers := map[string]uint32{}
	var naming inverted
	for i, p := range popups {
		for _, key := range p.targeting.audiences {
			if x == nil {
				x = &audienceIndex{members: newBitmap(len(popups))}
			}
			number, known := numbers[key]
			if !known {
				number = uint32(len(numbers))
				numbers[key] = number
				x.keys = append(x.keys, key)
			}
			naming.add(number, uint32(i))
			setBit(x.members, uint32(i))
		}
	}
	if x == nil {
		return nil
	}
	positions := naming.positions()
	slices.Sort(x.keys)
	for _, key := range x.keys {
		x.naming = append(x.naming, postingsOf(positions[numbers[key]], len(x.members)))
	}
	return x
}

// audiencePlan is what the popups of a segment name of the audiences of a snapshot.
type audiencePlan struct {
	usable   []*userSet
	usesIP   bool      // one of these asks for the client's address
	unusable *postings // popups that name an audience that can't be used; nil: none
}

func (a *audiences) plan(x *audienceIndex) *audiencePlan {
	p := &audiencePlan{}
	seen := map[*userSet]bool{}
	var add func(s *userSet)
	add = func(s *userSet) {
		if seen[s] {
			return
		}
		seen[s] = true
		if s.rule == nil {
			return
		}
		p.usesIP = p.usesIP || s.rule.count(attrIP) > 0
		for _, ref := range s.refs {
			add(ref)
		}
	}
	for i, key := range x.keys {
		if s := a.find(key); s != nil && s.why == "" {
			p.usable = append(p.usable, s)
			add(s)
			continue
		}
		if p.unusable == nil {
			p.unusable = &postings{dense: make([]uint64, len(x.members))}
		}
		x.naming[i].addTo(p.unusable.dense)
	}
	return p
}

// planAudiences finds the audiences in play in each segment. Those of the snapshot before are
// taken over where neither has changed.
func (s *Snapshot) planAudiences(previous *Snapshot) {
	s.plans, s.rulesUseIP = nil, false
	if s.naming == 0 {
		return
	}
	s.plans = map[*segment]*audiencePlan{}
	for _, here := range s.byPlacement {
		here.each(func(x *index) {
			for _, part := range x.parts {
				of := part.segment
				if of.audiences == nil {
					continue
				}
				plan := previous.plans[of]
				if plan == nil || s.audiences != previous.audiences {
					plan = s.audiences.plan(of.audiences)
				}
				s.plans[of] = plan
				s.rulesUseIP = s.rulesUseIP || plan.usesIP
			}
		})
	}
}

// filterAudiences adds the filters of the conditions on audiences of a segment. It reports
// whether any popup may fit.
func (c *cursor) filterAudiences(s *segment, r *popup.Request, m *Matches) bool {
	x, plan := s.audiences, m.snapshot.plans[s]
	if plan == nil || c.isWhole && !c.hasAny(x.members) {
		return true
	}
	if plan.unusable != nil && !c.use(&filter{drop, plan.unusable, nil, nil}, m) {
		return false
	}
	u := m.membership(r)
	from := len(m.values)
	for _, s := range plan.usable {
		if u.isIn(s) {
			m.values = append(m.values, s.name)
		}
	}
	values := m.values[from:]
	for _, x := range x.indexes {
		var found *postings
		switch len(values) {
		case 0:
		case 1:
			m.value.set(attrAudience, values[0])
			found = x.find(m, &m.value)
		default:
			found = x.findSet(m, &m.value, values)
		}
		if !c.add(x, found, m) {
			return false
		}
	}
	return true
}

// hasAny reports whether popups that are left in the batch are in the bitmap.
func (c *cursor) hasAny(bitmap []uint64) bool {
	for i, at := range c.at[:c.words] {
		if c.fit[i]&bitmap[at] != 0 {
			return true
		}
	}
	return false
}

// membership answers in which audiences the user of the request is.
func (m *Matches) membership(r *popup.Request) *membership {
	u := &m.users
	if m.usersOf != nil {
		u = &m.usersOf.users
	}
	if u.request == nil {
		u.begin(m.snapshot.audiences, r, m.nowMS)
	}
	return u
}

// ShareUser has the next [Snapshot.Match] of m, which is of the same snapshot, request and
// time as that of first, ask first in which audiences the user is. It holds until first is
// released.
func (m *Matches) ShareUser(first *Matches) {
	if m.snapshot != nil {
		m.Release()
	}
	m.usersOf = first
}

// Unavailable is an audience that active popups name and that can't be used, so that they are
// for nobody.
type Unavailable struct {
	Key    string
	Why    string   // as in "has a list that is not loaded yet"
	Popups []string // keys of the popups, sorted
}

// Unavailable returns the audiences that active popups name and that can't be used, by key.
func (s *Snapshot) Unavailable() (all []Unavailable) {
	if s == nil || !s.hasUnusable() {
		return nil
	}
	byKey := map[string][]string{}
	s.byID.each(func(p *Popup) {
		if p.Status != popup.Active {
			return
		}
		for _, key := range p.targeting.audiences {
			if _, why := s.audiences.unusable(key); why != "" {
				byKey[key] = append(byKey[key], p.Key)
			}
		}
	})
	for key, popups := range byKey {
		slices.Sort(popups)
		_, why := s.audiences.unusable(key)
		all = append(all, Unavailable{key, why, popups})
	}
	slices.SortFunc(all, func(a, b Unavailable) int { return compareText(a.Key, []byte(b.Key)) })
	return all
}

func (s *Snapshot) hasUnusable() bool {
	for _, plan := range s.plans {
		if plan.unusable != nil {
			return true
		}
	}
	return false
}
