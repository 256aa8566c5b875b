package snapshot

import (
	"slices"
	"strings"
)

// segment is popups in selection order, compiled so that the cost of a request depends
// little on their number. It is immutable: popups that have been changed since are
// left out by the [part] that it is in.
type segment struct {
	popups     []*Popup // a popup's position is its index here
	attributes []attributeIndex
	audiences  *audienceIndex // conditions on audiences; nil: there are none
	noAny      []uint64       // popups without conditions of any; nil: all
	partial    []uint64       // popups that not all users are in the rollout of; nil: none
	ids        idTable
	users      userZones // nil: schedules are the same for all users
}

// attributeIndex is the conditions on one attribute.
type attributeIndex struct {
	attr    attribute
	name    string // of a custom attribute
	indexes []*predicateIndex
}

// use is a condition of the popup at a position.
type use struct {
	condition *condition
	position  uint32
}

// predicateKey says which conditions an index holds. Where a popup may have but one in an
// index, nth tells its further ones apart.
type predicateKey struct {
	attr attribute
	name string
	kind kind
	role role
	fold bool
	nth  int
}

// plainSegments is newSegments without conditions.
func plainSegments(popups []*Popup) []*segment { return []*segment{newPlainSegment(popups)} }

// newPlainSegment leaves conditions aside.
func newPlainSegment(popups []*Popup) *segment {
	s := &segment{popups: popups}
	for _, p := range popups {
		if p.schedule.users != nil {
			s.users = p.schedule.users
		}
	}
	return s
}

// minKind is how many popups that require conditions on the same attributes are a segment
// of their own. There each index has them all, and stops all but those that it finds, where
// others would stay. A further segment costs a request as much as some hundred popups in one.
const minKind = 1024

// newSegments compiles popups that are in selection order.
func newSegments(popups []*Popup) []*segment {
	if len(popups) < 2*minKind {
		return []*segment{newSegment(popups)}
	}
	kinds, order := map[string][]*Popup{}, []string{}
	for _, p := range popups {
		kind := p.targeting.required()
		if kinds[kind] == nil {
			order = append(order, kind)
		}
		kinds[kind] = append(kinds[kind], p)
	}
	var segments []*segment
	var rest []*Popup
	for _, kind := range order {
		if alike := kinds[kind]; len(alike) >= max(minKind, len(popups)/16) {
			segments = append(segments, newSegment(alike))
		} else {
			rest = append(rest, alike...)
		}
	}
	if len(rest) > 0 {
		slices.SortFunc(rest, selectionOrder)
		segments = append(segments, newSegment(rest))
	}
	return segments
}

// required names the attributes that the popup requires, with the kinds of conditions.
func (t *targeting) required() string {
	var names []string
	t.each(func(c *condition, r role) {
		if r == required {
			names = append(names, string(rune('A'+kindOf(c)))+string(rune('A'+c.attr))+c.name)
		}
	})
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "\x00")
}

// newSegment compiles popups that are in selection order.
func newSegment(popups []*Popup) *segment {
	s := newPlainSegment(popups)
	s.ids = newIDTable(popups)
	groups := map[predicateKey][]use{}
	var keys []predicateKey
	var own []predicateKey // of the popup
	for i, p := range popups {
		own = own[:0]
		p.targeting.each(func(c *condition, r role) {
			key := predicateKey{c.attr, c.name, kindOf(c), r, c.fold, 0}
			if r.isSingle() && !(r == required && key.kind.isCombined()) {
				for slices.Contains(own, key) {
					key.nth++
				}
				own = append(own, key)
			}
			if groups[key] == nil {
				keys = append(keys, key)
			}
			groups[key] = append(groups[key], use{c, uint32(i)})
		})
		if p.rolloutShare < rolloutSteps {
			if s.partial == nil {
				s.partial = newBitmap(len(popups))
			}
			setBit(s.partial, uint32(i))
		}
		if len(p.targeting.any) > 0 && s.noAny == nil {
			s.noAny = complement(newBitmap(len(popups)), len(popups))
		}
		if len(p.targeting.any) > 0 {
			s.noAny[i/64] &^= 1 << (i % 64)
		}
	}
	s.audiences = newAudienceIndex(popups)
	for _, key := range keys {
		if key.attr == attrAudience {
			s.audiences.indexes = append(s.audiences.indexes, newPredicateIndex(key, groups[key], len(popups)))
			continue
		}
		at := slices.IndexFunc(s.attributes, func(a attributeIndex) bool { return a.attr == key.attr && a.name == key.name })
		if at < 0 {
			at = len(s.attributes)
			s.attributes = append(s.attributes, attributeIndex{attr: key.attr, name: key.name})
		}
		a := &s.attributes[at]
		a.indexes = append(a.indexes, newPredicateIndex(key, groups[key], len(popups)))
	}
	return s
}

// each calls f for every condition, with what passing its test does to the popup.
func (t *targeting) each(f func(*condition, role)) {
	for _, c := range t.all {
		if c.negate {
			f(c, forbidden)
		} else {
			f(c, required)
		}
	}
	for _, c := range t.none {
		if c.negate {
			f(c, required)
		} else {
			f(c, forbidden)
		}
	}
	for _, c := range t.any {
		if c.negate {
			f(c, unwanted)
		} else {
			f(c, optional)
		}
	}
}

func newPredicateIndex(key predicateKey, uses []use, popups int) *predicateIndex {
	x := &predicateIndex{role: key.role, kind: key.kind, fold: key.fold, members: newBitmap(popups)}
	size := len(x.members)
	x.all.dense = x.members
	for _, u := range uses {
		setBit(x.members, u.position)
	}
	if others := complement(x.members, popups); !isEmpty(others) {
		x.others = others
	}
	switch x.kind {
	case kindEqual:
		x.texts = postingsByValue(uses, size, func(c *condition) []string { return c.texts })
		x.numbers = postingsByValue(uses, size, func(c *condition) []float64 { return c.numbers })
	case kindNumber:
		ranges, ends := newRangeIndex(uses, size, x.role == required, numberBounds)
		ranges.numbers, x.ranges = ends, ranges
	case kindVersion:
		ranges, ends := newRangeIndex(uses, size, x.role == required, versionBounds)
		ranges.versions, x.ranges = ends, ranges
	case kindVersionEqual:
		ranges, ends := newRangeIndex(uses, size, false, versionBounds)
		ranges.versions, x.ranges = ends, ranges
	case kindTime, kindAge:
		ranges, ends := newRangeIndex(uses, size, x.role == required, timeBounds)
		ranges.moments, x.ranges = ends, ranges
	case kindNetwork:
		ranges, ends := newRangeIndex(uses, size, false, networkBounds)
		ranges.addresses, x.ranges = ends, ranges
	case kindPrefix:
		x.prefixes = newPrefixIndex(uses, size, func(c *condition) string { return string(c.text) })
	case kindSuffix:
		x.prefixes = newPrefixIndex(uses, size, func(c *condition) string { return reversed(c.text) })
	case kindSubstring:
		x.substrings = newSubstringIndex(uses, size)
	}
	return x
}

// postingsByValue returns the popups whose conditions name a value, nil if none do.
func postingsByValue[K comparable](uses []use, size int, values func(*condition) []K) map[K]*postings {
	ids := map[K]uint32{}
	var naming inverted
	for _, u := range uses {
		for _, v := range values(u.condition) {
			id, known := ids[v]
			if !known {
				id = uint32(len(ids))
				ids[v] = id
			}
			naming.add(id, u.position)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	byID := make([]postings, len(ids))
	for id, positions := range naming.positions() {
		byID[id] = postingsOf(positions, size)
	}
	out := make(map[K]*postings, len(ids))
	for v, id := range ids {
		out[v] = &byID[id]
	}
	return out
}
