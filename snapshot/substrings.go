package snapshot

import (
	"bytes"
)

// substringIndex finds the conditions that look for a text anywhere in a value, or match a
// regular expression. Each has a literal that must occur, with a gram of it that few
// others have: only those whose gram and then literal occur are evaluated. That is
// simpler than an automaton of all literals (Aho and Corasick 1975), has no tables of states,
// and takes a step of a map for each byte of a value.
type substringIndex struct {
	predicates []predicate
	grams      map[gram][]literal
	sizes      []int // of grams
	always     []int // conditions without a literal, or all if they are few
}

// predicate is a condition that is evaluated by itself.
type predicate struct {
	condition *condition
	postings  postings
}

// literal must occur in the values that pass a condition; its gram is at an offset.
type literal struct {
	text      []byte
	offset    int
	condition int
}

// gram is up to maxGram bytes, and how many.
type gram struct {
	bytes [maxGram]byte
	size  uint8
}

const (
	maxGram  = 4
	fewTexts = 16 // conditions that are evaluated faster than grams are looked up
)

func gramOf(text []byte) (g gram) {
	g.size = uint8(copy(g.bytes[:], text))
	return g
}

func newSubstringIndex(uses []use, size int) *substringIndex {
	x := &substringIndex{}
	ids := map[string]int{}
	var having inverted
	for _, u := range uses {
		id, known := ids[u.condition.source]
		if !known {
			id = len(ids)
			ids[u.condition.source] = id
			x.predicates = append(x.predicates, predicate{condition: u.condition})
		}
		having.add(uint32(id), u.position)
	}
	for id, positions := range having.positions() {
		x.predicates[id].postings = postingsOf(positions, size)
	}
	x.indexGrams()
	return x
}

func (x *substringIndex) indexGrams() {
	literals, counts := make([][]byte, len(x.predicates)), map[gram]int{}
	for i := range x.predicates {
		if len(x.predicates) > fewTexts {
			literals[i] = x.predicates[i].condition.literal()
		}
		for at := 0; at+maxGram <= len(literals[i]); at++ {
			counts[gramOf(literals[i][at:at+maxGram])]++
		}
	}
	x.grams = map[gram][]literal{}
	isUsed := [maxGram + 1]bool{}
	for i, text := range literals {
		if len(text) == 0 {
			x.always = append(x.always, i)
			continue
		}
		best := 0
		for at := 1; at+maxGram <= len(text); at++ {
			if counts[gramOf(text[at:at+maxGram])] < counts[gramOf(text[best:best+maxGram])] {
				best = at
			}
		}
		g := gramOf(text[best:min(best+maxGram, len(text))])
		x.grams[g] = append(x.grams[g], literal{text, best, i})
		isUsed[g.size] = true
	}
	for size, used := range isUsed {
		if used {
			x.sizes = append(x.sizes, size)
		}
	}
}

// literal returns a text that values which pass the test have, empty if none is known.
func (c *condition) literal() []byte {
	switch c.test {
	case testContains:
		return c.text
	case testMatches:
		prefix, _ := c.pattern.LiteralPrefix()
		return []byte(prefix)
	}
	return nil
}

// find appends the popups whose conditions a value passes. Each condition is evaluated once,
// however often its text is in the value.
func (x *substringIndex) find(found []*postings, v *value, fold bool, memory *scratch) []*postings {
	for _, i := range x.always {
		if p := &x.predicates[i]; p.condition.satisfied(v) {
			found = append(found, &p.postings)
		}
	}
	if len(x.sizes) == 0 {
		return found
	}
	tried := memory.bitmap((len(x.predicates) + 63) / 64)
	clear(tried)
	text := v.compared(fold)
	for at := range text {
		for _, size := range x.sizes {
			if at+size > len(text) {
				break
			}
			for _, l := range x.grams[gramOf(text[at:at+size])] {
				i := l.condition
				if tried[i/64]>>(i%64)&1 != 0 || at < l.offset || !bytes.HasPrefix(text[at-l.offset:], l.text) {
					continue
				}
				setBit(tried, uint32(i))
				if p := &x.predicates[i]; p.condition.satisfied(v) {
					found = append(found, &p.postings)
				}
			}
		}
	}
	return found
}
