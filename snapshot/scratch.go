package snapshot

import "github.com/popupd/popupd/popup"

// scratch is memory for one request, kept for the next one.
type scratch struct {
	bits   []uint64
	list   []word
	text   []byte
	sets   []postings
	found  []*postings // by the indexes, one after the other
	values [][]byte    // of the attribute that is asked for, if it has several
}

// reset forgets what is of a request or a snapshot.
func (s *scratch) reset() {
	s.bits, s.list = s.bits[:0], s.list[:0]
	if len(s.sets) > 0 {
		clear(s.sets)
		s.sets = s.sets[:0]
	}
	if len(s.found) > 0 {
		clear(s.found)
		s.found = s.found[:0]
	}
	if len(s.values) > 0 {
		clear(s.values)
		s.values = s.values[:0]
	}
}

// keep returns where the postings stay until the next request.
func (s *scratch) keep(p postings) *postings {
	if len(s.sets) == cap(s.sets) { // what was kept stays where it is
		s.sets = make([]postings, 0, 2*cap(s.sets)+4)
	}
	s.sets = append(s.sets, p)
	return &s.sets[len(s.sets)-1]
}

// union returns all that is in the sets, which are of a segment of size words; nil if
// there are none.
func (s *scratch) union(sets []*postings, size int) *postings {
	switch len(sets) {
	case 0:
		return nil
	case 1:
		return sets[0]
	}
	total := 0
	for _, p := range sets {
		if total += len(p.sparse); p.dense != nil {
			total = size
		}
	}
	if total > batchWords || isDense(total, size) {
		dense := s.bitmap(size)
		clear(dense)
		for _, p := range sets {
			p.addTo(dense)
		}
		return s.keep(postings{dense: dense})
	}
	sparse := s.words(total)
	for _, p := range sets {
		for _, w := range p.sparse {
			var i int
			sparse, i = withWord(sparse, w.at)
			sparse[i].bits |= w.bits
		}
	}
	return s.keep(postings{sparse: sparse})
}

// bitmap returns a bitmap of size words, whatever is in it.
func (s *scratch) bitmap(size int) []uint64 {
	n := len(s.bits)
	if n+size > cap(s.bits) { // what was taken stays where it is
		s.bits, n = make([]uint64, 0, 2*cap(s.bits)+size), 0
	}
	s.bits = s.bits[:n+size]
	return s.bits[n:]
}

// words returns an empty list with room for so many words.
func (s *scratch) words(size int) []word {
	n := len(s.list)
	if n+size > cap(s.list) {
		s.list, n = make([]word, 0, 2*cap(s.list)+size), 0
	}
	s.list = s.list[:n+size]
	return s.list[n : n : n+size]
}

// reverse returns the text backwards, until the next call.
func (s *scratch) reverse(text []byte) []byte {
	s.text = s.text[:0]
	for i := len(text) - 1; i >= 0; i-- {
		s.text = append(s.text, text[i])
	}
	return s.text
}

// valuesOf returns the values that a request gives a custom attribute, from attrs[i] on.
func (s *scratch) valuesOf(attrs []popup.Attr, name string, i int) [][]byte {
	from := len(s.values)
	for ; i >= 0; i = nextValue(attrs, name, i+1) {
		s.values = append(s.values, attrs[i].Value)
	}
	return s.values[from:]
}

// nextValue returns the index of the next value of a custom attribute, -1 if there is none.
func nextValue(attrs []popup.Attr, name string, i int) int {
	for ; i < len(attrs); i++ {
		if a := &attrs[i]; string(a.Name) == name && len(a.Value) > 0 {
			return i
		}
	}
	return -1
}
