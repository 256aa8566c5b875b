package snapshot

import "github.com/popupd/popupd/popup"

// attributeIndex holds all conditions of a placement's popups on one attribute. A
// request looks the attribute up once, whatever the number of popups.
type attributeIndex struct {
	attr attribute
	name string // of a custom attribute

	missing effect // of a request without the attribute
	texts   valueIndex[string]
	numbers valueIndex[float64]
	checks  []check
	each    []check // all conditions, for a set of values
}

// valueIndex has the effect of each value on the conditions that compare for
// equality with texts only, or with numbers only.
type valueIndex[K comparable] struct {
	other  effect        // of a value that no condition names
	deltas map[K]*effect // where the effect of a named value differs from other
}

// check is a condition that is evaluated by itself.
type check struct {
	condition *condition
	yes, no   effect
}

func newAttributeIndex(uses []*use, counts *conditionCounts) *attributeIndex {
	x := &attributeIndex{attr: uses[0].condition.attr, name: uses[0].condition.name}
	var texts, numbers []*use
	for _, u := range uses {
		one := []*use{u}
		each := check{
			condition: u.condition,
			yes:       counts.effectOf(one, func(*condition) bool { return true }),
			no:        counts.effectOf(one, func(*condition) bool { return false }),
		}
		x.each = append(x.each, each)
		switch c := u.condition; {
		case c.fold:
			x.checks = append(x.checks, each)
		case c.test == testEqual && len(c.numbers) == 0:
			texts = append(texts, u)
		case c.test == testEqual && len(c.texts) == 0:
			numbers = append(numbers, u)
		default:
			x.checks = append(x.checks, each)
		}
	}
	x.missing = counts.effectOf(uses, isNegated)
	x.texts = newValueIndex(texts, counts, func(c *condition) []string { return c.texts })
	x.numbers = newValueIndex(numbers, counts, func(c *condition) []float64 { return c.numbers })
	return x
}

// isNegated reports whether the condition holds for a value that is missing or that
// it does not name.
func isNegated(c *condition) bool { return c.negate }

func newValueIndex[K comparable](uses []*use, counts *conditionCounts, values func(*condition) []K) valueIndex[K] {
	if len(uses) == 0 {
		return valueIndex[K]{}
	}
	out := valueIndex[K]{other: counts.effectOf(uses, isNegated), deltas: map[K]*effect{}}
	naming := map[K][]uint32{} // the conditions, by index in uses, that name a value
	for i, u := range uses {
		for _, v := range values(u.condition) {
			if n := len(naming[v]); n == 0 || naming[v][n-1] != uint32(i) {
				naming[v] = append(naming[v], uint32(i))
			}
		}
	}
	for _, u := range uses {
		counts.add(u, u.condition.negate, 1)
	}
	// Values that the same conditions name, as those of one list, share a delta.
	shared := map[string]*effect{}
	for v, indexes := range naming {
		key := make([]byte, 0, 4*len(indexes))
		named := make([]*use, len(indexes))
		for i, n := range indexes {
			key = append(key, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
			named[i] = uses[n]
		}
		if shared[string(key)] == nil {
			shared[string(key)] = counts.delta(named)
		}
		out.deltas[v] = shared[string(key)]
	}
	for _, u := range uses {
		counts.add(u, u.condition.negate, -1)
	}
	return out
}

// apply takes out of fit the popups that the request's values of the attribute stop,
// and adds to met those of whose conditions of any they meet one. v is scratch memory
// that knows the time.
func (x *attributeIndex) apply(fit, met []uint64, r *popup.Request, v *value) {
	m := membersOf(r, x.attr, x.name)
	text := m.next()
	if text == nil {
		x.missing.apply(fit, met)
		return
	}
	if m.next() != nil {
		for i := range x.each {
			x.each[i].apply(x.each[i].condition.hits(r, v), fit, met)
		}
		return
	}
	v.set(text)
	if t := &x.texts; t.deltas != nil {
		t.other.applyWith(t.deltas[string(text)], fit, met)
	}
	if t := &x.numbers; t.deltas != nil {
		var delta *effect
		if n, ok := v.asNumber(); ok {
			delta = t.deltas[n]
		}
		t.other.applyWith(delta, fit, met)
	}
	for i := range x.checks {
		x.checks[i].apply(x.checks[i].condition.satisfied(v), fit, met)
	}
}

// apply is the effect of a request whose values pass the condition's test or do not.
func (c *check) apply(passed bool, fit, met []uint64) {
	if passed != c.condition.negate {
		c.yes.apply(fit, met)
	} else {
		c.no.apply(fit, met)
	}
}

// conditionCounts has, for each position, the number of conditions that stop the
// popup and of conditions of any that are met. It is scratch memory of compiling.
type conditionCounts struct{ stopping, met []int32 }

// add adds n for each popup that is affected if the condition holds, or if it does not.
func (c *conditionCounts) add(u *use, holds bool, n int32) {
	if !holds {
		addAt(c.stopping, u.all, n)
		return
	}
	addAt(c.stopping, u.none, n)
	addAt(c.met, u.any, n)
}

func addAt(counts []int32, positions []uint32, n int32) {
	for _, p := range positions {
		counts[p] += n
	}
}

// effect returns the effect of the present counts on the popups of uses, with a word
// for each of them.
func (c *conditionCounts) effect(uses []*use) effect {
	var stoppable, choosing []uint32
	for _, u := range uses {
		stoppable = append(append(stoppable, u.all...), u.none...)
		choosing = append(choosing, u.any...)
	}
	return effect{
		stopped: newSet(stoppable, func(p uint32) bool { return c.stopping[p] > 0 }),
		met:     newSet(choosing, func(p uint32) bool { return c.met[p] > 0 }),
	}
}

// effectOf returns the effect if the conditions hold as holds says.
func (c *conditionCounts) effectOf(uses []*use, holds func(*condition) bool) effect {
	for _, u := range uses {
		c.add(u, holds(u.condition), 1)
	}
	e := c.effect(uses)
	for _, u := range uses {
		c.add(u, holds(u.condition), -1)
	}
	return e
}

// delta returns what changes for a value that these conditions name. The counts are
// those for a value that no condition names.
func (c *conditionCounts) delta(uses []*use) *effect {
	before := c.effect(uses)
	for _, u := range uses {
		c.add(u, u.condition.negate, -1)
		c.add(u, !u.condition.negate, 1)
	}
	after := c.effect(uses)
	for _, u := range uses {
		c.add(u, !u.condition.negate, -1)
		c.add(u, u.condition.negate, 1)
	}
	return &effect{stopped: before.stopped.difference(after.stopped), met: before.met.difference(after.met)}
}
