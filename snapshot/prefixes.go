package snapshot

import (
	"bytes"
	"slices"
	"strings"
)

// prefixIndex finds the popups that ask for a prefix of a text. All prefixes of a text that
// are in the table are the last entry not after the text, if that is one, or what the
// chain of its own prefixes leads to.
type prefixIndex struct {
	common   string   // what all entries begin with
	keys     []uint64 // of what follows it
	texts    []string // sorted
	shorter  []int32  // the longest other entry that an entry begins with; -1: none
	postings []postings
}

func newPrefixIndex(uses []use, size int, textOf func(*condition) string) *prefixIndex {
	positions := map[string][]uint32{}
	for _, u := range uses {
		text := textOf(u.condition)
		positions[text] = append(positions[text], u.position)
	}
	x := &prefixIndex{}
	for text := range positions {
		x.texts = append(x.texts, text)
	}
	slices.Sort(x.texts)
	x.common = commonPrefix(x.texts[0], x.texts[len(x.texts)-1])
	x.keys = make([]uint64, len(x.texts))
	x.shorter, x.postings = make([]int32, len(x.texts)), make([]postings, len(x.texts))
	for i, text := range x.texts {
		x.keys[i] = textKey([]byte(text[len(x.common):]))
		x.postings[i] = postingsOf(positions[text], size)
		above := int32(i) - 1
		for above >= 0 && !strings.HasPrefix(text, x.texts[above]) {
			above = x.shorter[above]
		}
		x.shorter[i] = above
	}
	return x
}

// find appends the popups that ask for a prefix of the text.
func (x *prefixIndex) find(found []*postings, text []byte) []*postings {
	if !hasPrefix(text, x.common) {
		return found
	}
	key := textKey(text[len(x.common):])
	i := int32(countUntil(x.keys, key, func(i int) bool { return x.texts[i] > string(text) })) - 1
	for i >= 0 && !hasPrefix(text, x.texts[i]) {
		i = x.shorter[i]
	}
	for ; i >= 0; i = x.shorter[i] {
		found = append(found, &x.postings[i])
	}
	return found
}

// commonPrefix returns the longest text that both begin with.
func commonPrefix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

func hasPrefix(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && string(text[:len(prefix)]) == prefix
}

func reversed(text []byte) string {
	text = bytes.Clone(text)
	slices.Reverse(text)
	return string(text)
}
