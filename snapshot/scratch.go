package snapshot

// scratch is memory for one request, kept for the next one.
type scratch struct {
	bits []uint64
	list []word
	sets []postings
	text []byte
}

func (s *scratch) reset() { s.bits, s.list, s.sets = s.bits[:0], s.list[:0], s.sets[:0] }

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
