package snapshot

import (
	"math/bits"
	"slices"
)

// postings are a set of popups by their position in a [segment]. Few of them are a list of
// the words that are not empty, many are a bitmap. Either is read only.
type postings struct {
	dense  []uint64 // a bit for each position; nil: sparse holds
	sparse []word   // by at, ascending
}

// word is positions 64*at to 64*at+63, the least significant bit first.
type word struct {
	at   uint32
	bits uint64
}

var noPostings postings

// isDense reports whether so many words of a bitmap of size words are better kept as a
// bitmap: it takes no more memory then, and is read faster.
func isDense(used, size int) bool { return 2*used >= size }

// newBitmap returns an empty set of n popups.
func newBitmap(n int) []uint64 { return make([]uint64, (n+63)/64) }

func setBit(bitmap []uint64, position uint32) { bitmap[position/64] |= 1 << (position % 64) }

// complement returns the positions under n that are not in the bitmap.
func complement(bitmap []uint64, n int) []uint64 {
	out := newBitmap(n)
	for i := range out {
		out[i] = ^bitmap[i]
	}
	if n%64 != 0 {
		out[len(out)-1] &= 1<<(n%64) - 1
	}
	return out
}

func isEmpty(bitmap []uint64) bool {
	for _, w := range bitmap {
		if w != 0 {
			return false
		}
	}
	return true
}

// postingsOf makes postings for a segment of size words from ascending positions, which may
// repeat.
func postingsOf(positions []uint32, size int) postings {
	used := 0
	for i, p := range positions {
		if i == 0 || positions[i-1]/64 != p/64 {
			used++
		}
	}
	if isDense(used, size) {
		dense := make([]uint64, size)
		for _, p := range positions {
			setBit(dense, p)
		}
		return postings{dense: dense}
	}
	sparse := make([]word, 0, used)
	for _, p := range positions {
		if n := len(sparse); n == 0 || sparse[n-1].at != p/64 {
			sparse = append(sparse, word{at: p / 64})
		}
		sparse[len(sparse)-1].bits |= 1 << (p % 64)
	}
	return postings{sparse: sparse}
}

// addTo adds the postings to a bitmap.
func (p *postings) addTo(bitmap []uint64) {
	for i, w := range p.dense {
		bitmap[i] |= w
	}
	for _, w := range p.sparse {
		bitmap[w.at] |= w.bits
	}
}

// withWord returns a sorted list of words with one at, and where in the list that is.
func withWord(words []word, at uint32) ([]word, int) {
	i := len(words)
	for i > 0 && words[i-1].at > at {
		i--
	}
	if i > 0 && words[i-1].at == at {
		return words, i - 1
	}
	words = append(words, word{})
	copy(words[i+1:], words[i:])
	words[i] = word{at: at}
	return words, i
}

// inverted collects the positions of each of a number of keys, for all of them in a few
// allocations.
type inverted struct {
	of, position []uint32 // pairs; positions ascend
	n            int      // keys
}

func (v *inverted) add(of, position uint32) {
	v.of, v.position = append(v.of, of), append(v.position, position)
	v.n = max(v.n, int(of)+1)
}

// positions returns the positions by key.
func (v *inverted) positions() [][]uint32 {
	counts := make([]uint32, v.n)
	for _, k := range v.of {
		counts[k]++
	}
	all, out := make([]uint32, len(v.of)), make([][]uint32, v.n)
	for k, n := range counts {
		out[k], all = all[:0:n], all[n:]
	}
	for i, k := range v.of {
		out[k] = append(out[k], v.position[i])
	}
	return out
}

// sparseBitmap is a bitmap that knows which of its words are not empty.
type sparseBitmap struct {
	words []uint64
	used  []uint64 // a bit for each word
	count int      // of words that are not empty
}

func newSparseBitmap(size int) *sparseBitmap {
	return &sparseBitmap{words: make([]uint64, size), used: newBitmap(size)}
}

func (b *sparseBitmap) flip(position uint32) {
	at := position / 64
	b.words[at] ^= 1 << (position % 64)
	isUsed := b.used[at/64]>>(at%64)&1 != 0
	if isNow := b.words[at] != 0; isNow != isUsed {
		b.used[at/64] ^= 1 << (at % 64)
		if b.count++; isUsed {
			b.count -= 2
		}
	}
}

// bytes returns the size of the postings.
func (b *sparseBitmap) bytes() int {
	if isDense(b.count, len(b.words)) {
		return 8 * len(b.words)
	}
	return 16 * b.count
}

func (b *sparseBitmap) postings() postings {
	if isDense(b.count, len(b.words)) {
		return postings{dense: slices.Clone(b.words)}
	}
	sparse := make([]word, 0, b.count)
	for i, used := range b.used {
		for ; used != 0; used &= used - 1 {
			at := i*64 + bits.TrailingZeros64(used)
			sparse = append(sparse, word{uint32(at), b.words[at]})
		}
	}
	return postings{sparse: sparse}
}
