package snapshot

// question is all that the popups of a place want to know of one attribute. It
// is compiled so that a request is asked once, whatever the number of popups.
type question struct {
	attr attribute
	name string // of a custom attribute

	missing effect // of a request without the attribute
	texts   table[string]
	numbers table[float64]
	checks  []check
}

// table has the answers to all conditions of a question that compare for
// equality with texts only, or with numbers only.
type table[K comparable] struct {
	other effect        // of a value that no condition names
	flips map[K]*effect // what is the other way round with one that is named
}

// check is a condition that is asked by itself.
type check struct {
	condition *condition
	yes, no   effect
}

// use is a condition with the popups that have it, by position.
type use struct {
	condition      *condition
	all, any, none []uint32
}

func newQuestion(uses []*use, t *tally) *question {
	q := &question{attr: uses[0].condition.attr, name: uses[0].condition.name}
	var texts, numbers []*use
	for _, u := range uses {
		switch c := u.condition; {
		case c.test == testEqual && len(c.numbers) == 0:
			texts = append(texts, u)
		case c.test == testEqual && len(c.texts) == 0:
			numbers = append(numbers, u)
		default:
			one := []*use{u}
			q.checks = append(q.checks, check{
				condition: c,
				yes:       t.effectOf(one, func(*condition) bool { return true }),
				no:        t.effectOf(one, func(*condition) bool { return false }),
			})
		}
	}
	q.missing = t.effectOf(uses, isNegated)
	q.texts = newTable(texts, t, func(c *condition) []string { return c.texts })
	q.numbers = newTable(numbers, t, func(c *condition) []float64 { return c.numbers })
	return q
}

// isNegated is what the condition says of a value that is missing or not named.
func isNegated(c *condition) bool { return c.negate }

func newTable[K comparable](uses []*use, t *tally, values func(*condition) []K) table[K] {
	if len(uses) == 0 {
		return table[K]{}
	}
	out := table[K]{other: t.effectOf(uses, isNegated), flips: map[K]*effect{}}
	naming := map[K][]uint32{} // the conditions, by number, that name a value
	for i, u := range uses {
		for _, v := range values(u.condition) {
			if n := len(naming[v]); n == 0 || naming[v][n-1] != uint32(i) {
				naming[v] = append(naming[v], uint32(i))
			}
		}
	}
	for _, u := range uses {
		t.add(u, u.condition.negate, 1)
	}
	// Values that the same conditions name, as those of one list, share a flip.
	shared := map[string]*effect{}
	for v, numbers := range naming {
		key := make([]byte, 0, 4*len(numbers))
		named := make([]*use, len(numbers))
		for i, n := range numbers {
			key = append(key, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
			named[i] = uses[n]
		}
		if shared[string(key)] == nil {
			shared[string(key)] = t.flip(named)
		}
		out.flips[v] = shared[string(key)]
	}
	for _, u := range uses {
		t.add(u, u.condition.negate, -1)
	}
	return out
}

// flip returns what changes if these conditions, counted as they are for a value
// that they do not name, meet one that they do.
func (t *tally) flip(uses []*use) *effect {
	before := t.effect(uses)
	for _, u := range uses {
		t.add(u, u.condition.negate, -1)
		t.add(u, !u.condition.negate, 1)
	}
	after := t.effect(uses)
	for _, u := range uses {
		t.add(u, !u.condition.negate, -1)
		t.add(u, u.condition.negate, 1)
	}
	return &effect{stopped: before.stopped.difference(after.stopped), met: before.met.difference(after.met)}
}
