package snapshot

// predicateIndex holds the conditions of a segment's popups that are alike: on one
// attribute, of one kind, in one role. For a value of the attribute it finds the popups
// whose test, its negation left aside, the value passes. In most roles a popup may have any
// number of conditions here; where all of its conditions must hold, or one must not, it has
// one, and the others are in further indexes.
type predicateIndex struct {
	role role
	kind kind
	fold bool // texts are compared folded

	members []uint64 // popups that have a condition here
	others  []uint64 // the others; nil: there are none
	all     postings // members

	// By kind.
	texts      map[string]*postings
	numbers    map[float64]*postings
	ranges     *rangeIndex
	prefixes   *prefixIndex
	substrings *substringIndex
}

// role is what passing a test does to a popup.
type role uint8

const (
	required  role = iota // stopped by values that do not pass
	forbidden             // stopped by values that pass
	optional              // one of its conditions of any is met by values that pass
	unwanted              // one of its conditions of any is met by values that do not pass
)

// isSingle reports whether a popup may have but one condition in an index of this role:
// popups without a condition that passes are not those of which one does not pass.
func (r role) isSingle() bool { return r == required || r == unwanted }

// kind is how an index finds the tests that a value passes.
type kind uint8

const (
	kindEqual        kind = iota // maps of texts and numbers
	kindNumber                   // ranges of numbers
	kindVersion                  // ranges of versions
	kindVersionEqual             // single versions, each a range
	kindTime                     // ranges of times
	kindAge                      // ranges of ages
	kindNetwork                  // ranges of addresses
	kindPrefix                   // a sorted table
	kindSuffix                   // a sorted table of reversed texts
	kindExists                   // every value passes
	kindSubstring                // texts anywhere in a value, and regular expressions
)

// isCombined reports whether conditions that a popup must all pass are one range. Each has
// one end only: then a set of values passes them all if its least and greatest do.
func (k kind) isCombined() bool {
	return k == kindNumber || k == kindVersion || k == kindTime || k == kindAge
}

// kindOf returns the kind of index for a condition.
func kindOf(c *condition) kind {
	switch c.test {
	case testEqual:
		return kindEqual
	case testGt, testGte, testLt, testLte:
		return kindNumber
	case testSemverEq:
		return kindVersionEqual
	case testSemverGt, testSemverGte, testSemverLt, testSemverLte:
		return kindVersion
	case testBefore, testAfter:
		return kindTime
	case testOlder, testNewer:
		return kindAge
	case testInNetworks:
		return kindNetwork
	case testPrefix:
		return kindPrefix
	case testSuffix:
		return kindSuffix
	case testExists:
		return kindExists
	}
	return kindSubstring
}

// find returns the popups whose tests a value passes, nil if there are none.
func (x *predicateIndex) find(m *Matches, v *value) *postings {
	from := len(m.found)
	switch x.kind {
	case kindEqual:
		return x.findEqual(m, v)
	case kindPrefix:
		m.found = x.prefixes.find(m.found, v.compared(x.fold))
		return m.union(m.found[from:], len(x.members))
	case kindSuffix:
		m.found = x.prefixes.find(m.found, m.reverse(v.compared(x.fold)))
		return m.union(m.found[from:], len(x.members))
	case kindExists:
		return &x.all
	case kindSubstring:
		m.found = x.substrings.find(m.found, v, x.fold, &m.scratch)
		return m.union(m.found[from:], len(x.members))
	}
	if rank, ok := x.rank(v); ok {
		return x.ranges.find(rank, &m.scratch)
	}
	return nil
}

func (x *predicateIndex) findEqual(m *Matches, v *value) *postings {
	var named *postings
	if x.texts != nil {
		text := v.text
		if x.fold {
			text = v.compared(true)
		}
		named = x.texts[string(text)]
	}
	if x.numbers == nil {
		return named
	}
	if n, ok := v.asNumber(); ok {
		if p := x.numbers[n]; named == nil {
			named = p
		} else if p != nil {
			from := len(m.found)
			m.found = append(m.found, named, p)
			return m.union(m.found[from:], len(x.members))
		}
	}
	return named
}

// rank returns the rank of a value among the ranges of the index, if it can be read as what
// they are of.
func (x *predicateIndex) rank(v *value) (rank uint32, ok bool) {
	switch x.kind {
	case kindNumber:
		if n, ok := v.asNumber(); ok {
			return x.ranges.numbers.rank(number(n)), true
		}
	case kindVersion, kindVersionEqual:
		if version := v.asVersion(); version != nil {
			return x.ranges.versions.rank(versionCut{version: version}), true
		}
	case kindTime:
		if ms, ok := v.asTime(); ok {
			return x.ranges.moments.rank(moment(ms)), true
		}
	case kindAge:
		if ms, ok := v.asTime(); ok {
			return x.ranges.moments.rank(moment(v.nowMS - ms)), true
		}
	case kindNetwork:
		if a, ok := v.asAddr(); ok {
			return x.ranges.addresses.rank(address(a)), true
		}
	}
	return 0, false
}

// findSet returns the popups whose tests some of several values pass, nil if there are none.
// Only custom attributes have several.
func (x *predicateIndex) findSet(m *Matches, v *value, values [][]byte) *postings {
	if x.ranges == nil || x.ranges.spans == nil {
		var all []uint64
		for _, text := range values {
			v.set(attrCustom, text)
			p := x.find(m, v)
			if p == nil {
				continue
			}
			if all == nil {
				all = m.bitmap(len(x.members))
				clear(all)
			}
			p.addTo(all)
		}
		if all == nil {
			return nil
		}
		return m.keep(postings{dense: all})
	}
	least, greatest, isAny := uint32(0), uint32(0), false
	for _, text := range values {
		v.set(attrCustom, text)
		if rank, ok := x.rank(v); ok {
			if !isAny {
				least, greatest, isAny = rank, rank, true
			}
			least, greatest = min(least, rank), max(greatest, rank)
		}
	}
	if !isAny {
		return nil
	}
	return x.ranges.findSet(least, greatest, &m.scratch)
}
