package snapshot

import "github.com/popupd/popupd/popup"

// filter is what one predicate index leaves of the popups of a segment, for one request.
type filter struct {
	effect effect
	found  *postings
	others []uint64
	rest   []word // of found, if it is sparse: what batches have not gone past
}

// effect is what a filter does to the popups that fit, or to those of which a condition of
// any is met.
type effect uint8

const (
	keep effect = iota // fit: those found, and others
	drop               // fit: not those found
	meet               // met: those found
)

// cursor goes through the popups of a part that may fit a request, in batches of words.
// While it looks for the first one, it has not looked at those behind.
type cursor struct {
	segment *segment
	open    []uint64 // popups that are open now
	isWhole bool     // the segment is one batch: filters work at once and are not kept
	from    uint32   // filters, of those of the request
	to      uint32
	head    *Popup // the next popup, when there are several cursors
	skip    *skip  // nil: no popup is left out

	isDriven bool   // by a list of the only words in which popups may fit
	driver   []word // what is left of it
	next     uint32 // word, if not driven

	at    [batchWords]uint32
	fit   [batchWords]uint64
	met   [batchWords]uint64 // of popups with conditions of any
	words int                // in the batch
	i     int                // word of the batch that is being looked at
}

// batchWords is as many words as are filtered at once: many enough that a filter is a
// loop, few enough that a popup is found before all have been looked at.
const batchWords = 16

// begin finds the filters of a request. It reports whether any popup may fit; if not, the
// cursor is dropped.
func (c *cursor) begin(s *segment, open []uint64, r *popup.Request, m *Matches) bool {
	c.i = 0
	if c.isWhole = len(open) <= batchWords; c.isWhole {
		c.words = len(open)
		for i, w := range open {
			c.at[i], c.fit[i] = uint32(i), w
		}
		if s.noAny != nil {
			c.met = [batchWords]uint64{}
		}
	} else {
		c.open, c.isDriven, c.next, c.words, c.from = open, false, 0, 0, uint32(len(m.filters))
	}
	for i := range s.attributes {
		if c.ask(&s.attributes[i], r, m) {
			continue
		}
		if !c.isWhole {
			c.drop()
		}
		return false
	}
	if s.audiences != nil && !c.filterAudiences(s, r, m) {
		if !c.isWhole {
			c.drop()
		}
		return false
	}
	c.segment = s
	if !c.isWhole {
		c.to = uint32(len(m.filters))
	} else if s.noAny != nil {
		c.keepMet()
	}
	return true
}

// ask adds the filters of the conditions on an attribute. It reports whether any popup may fit.
func (c *cursor) ask(a *attributeIndex, r *popup.Request, m *Matches) bool {
	var first []byte
	var values [][]byte // nil: there are not several
	if a.attr != attrCustom {
		first = builtin(r, a.attr)
	} else if i := nextValue(r.Attrs, a.name, 0); i >= 0 {
		first = r.Attrs[i].Value
		if further := nextValue(r.Attrs, a.name, i+1); further >= 0 {
			values = m.valuesOf(r.Attrs, a.name, i)
		}
	}
	isGiven := len(first) > 0 && m.value.set(a.attr, first)
	for _, x := range a.indexes {
		var found *postings
		switch {
		case !isGiven:
		case values == nil:
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

// drop forgets the segment.
func (c *cursor) drop() { c.segment, c.open, c.driver, c.head, c.skip = nil, nil, nil, nil, nil }

// add adds the filter of an index that has found popups, or nil. It reports whether it leaves
// any.
func (c *cursor) add(x *predicateIndex, found *postings, m *Matches) bool {
	switch x.role {
	case required:
		if found == nil {
			if x.others == nil {
				return false
			}
			found = &noPostings
		}
		if found.dense == nil && x.others == nil && !c.isWhole {
			return c.drive(found, m)
		}
		return c.use(&filter{keep, found, x.others, found.sparse}, m)
	case unwanted:
		if found != nil {
			rest := m.bitmap(len(x.members))
			clear(rest)
			found.addTo(rest)
			for i, w := range x.members {
				rest[i] = w &^ rest[i]
			}
			found = m.keep(postings{dense: rest})
		} else {
			found = &x.all
		}
		return c.use(&filter{meet, found, nil, nil}, m)
	}
	if found == nil {
		return true
	}
	if x.role == optional {
		return c.use(&filter{meet, found, nil, found.sparse}, m)
	}
	return c.use(&filter{drop, found, nil, found.sparse}, m)
}

// drive has the only popups that may fit direct the way through the segment. If others do,
// the shorter list does from now on. It reports whether there are any.
func (c *cursor) drive(p *postings, m *Matches) bool {
	switch {
	case !c.isDriven:
		c.isDriven, c.driver = true, p.sparse
	case len(p.sparse) < len(c.driver):
		m.filters = append(m.filters, filter{found: &noPostings, rest: c.driver})
		c.driver = p.sparse
	default:
		m.filters = append(m.filters, filter{found: p, rest: p.sparse})
	}
	return len(c.driver) > 0
}

// use applies the filter if the segment is one batch, else it is kept. It reports whether it
// may leave any popups.
func (c *cursor) use(f *filter, m *Matches) bool {
	if c.isWhole {
		return c.apply(f)
	}
	m.filters = append(m.filters, *f)
	return true
}

// fill begins the next batch. It reports whether there is one.
func (c *cursor) fill() bool {
	words := 0
	if c.isDriven {
		driver := c.driver
		for words < batchWords && len(driver) > 0 {
			w := &driver[0]
			driver = driver[1:]
			if open := c.open[w.at] & w.bits; open != 0 {
				c.at[words], c.fit[words] = w.at, open
				words++
			}
		}
		c.driver = driver
	} else {
		at := c.next
		for ; words < batchWords && int(at) < len(c.open); at++ {
			if open := c.open[at]; open != 0 {
				c.at[words], c.fit[words] = at, open
				words++
			}
		}
		c.next = at
	}
	if c.segment.noAny != nil {
		c.met = [batchWords]uint64{}
	}
	c.words, c.i = words, 0
	return words > 0
}

// filter leaves in the batch what the filters leave.
func (c *cursor) filter(filters []filter) {
	for i := range filters {
		if !c.apply(&filters[i]) {
			c.words = 0
			return
		}
	}
	if c.segment.noAny != nil {
		c.keepMet()
	}
}

// apply applies a filter to the batch. It reports whether any popup is left.
func (c *cursor) apply(f *filter) bool {
	at, left := c.at[:c.words], uint64(0)
	switch dense := f.found.dense; {
	case f.effect == meet && dense != nil:
		met := c.met[:len(at)]
		for i, at := range at {
			met[i] |= dense[at]
		}
		return true
	case f.effect == meet:
		for i, at := range at {
			c.met[i] |= f.bits(at)
		}
		return true
	case f.effect == drop && dense != nil:
		fit := c.fit[:len(at)]
		for i, at := range at {
			fit[i] &^= dense[at]
			left |= fit[i]
		}
	case f.effect == drop:
		fit := c.fit[:len(at)]
		for i, at := range at {
			fit[i] &^= f.bits(at)
			left |= fit[i]
		}
	case dense != nil && f.others == nil:
		fit := c.fit[:len(at)]
		for i, at := range at {
			fit[i] &= dense[at]
			left |= fit[i]
		}
	case dense != nil:
		fit := c.fit[:len(at)]
		for i, at := range at {
			fit[i] &= dense[at] | f.others[at]
			left |= fit[i]
		}
	default:
		fit := c.fit[:len(at)]
		for i, at := range at {
			bits := f.bits(at)
			if f.others != nil {
				bits |= f.others[at]
			}
			fit[i] &= bits
			left |= fit[i]
		}
	}
	return left != 0
}

// keepMet leaves in the batch popups without conditions of any, and those of which one is met.
func (c *cursor) keepMet() {
	noAny := c.segment.noAny
	for i, at := range c.at[:c.words] {
		c.fit[i] &= noAny[at] | c.met[i]
	}
}

// bits returns the word of rest at, which must ascend from call to call.
func (f *filter) bits(at uint32) uint64 {
	for len(f.rest) > 0 && f.rest[0].at < at {
		f.rest = f.rest[1:]
	}
	if len(f.rest) > 0 && f.rest[0].at == at {
		return f.rest[0].bits
	}
	return 0
}
