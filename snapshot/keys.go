package snapshot

import (
	"encoding/binary"
	"sort"
)

// Sorted tables have keys of 64 bits with the order of their entries. A binary search among
// keys takes an eighth of the instructions of one among versions (BenchmarkHotMatch), each of
// which is fetched and compared member by member.

// countTo returns how many of some sorted keys are not after a key.
func countTo(keys []uint64, key uint64) int {
	low, n := 0, len(keys)
	for n > 1 {
		half := n / 2
		if next := low + half; keys[next-1] <= key {
			low = next
		}
		n -= half
	}
	if n == 1 && keys[low] <= key {
		low++
	}
	return low
}

// countUntil returns how many entries of a sorted table are not after a value with this key.
// isAfter reports whether an entry is after the value; it is called for entries with the
// same key only.
func countUntil(keys []uint64, key uint64, isAfter func(i int) bool) int {
	high := countTo(keys, key)
	if high == 0 || keys[high-1] != key {
		return high
	}
	low := 0
	if key > 0 {
		low = countTo(keys[:high], key-1)
	}
	return low + sort.Search(high-low, func(i int) bool { return isAfter(low + i) })
}

// textKey returns the key of a text: its first bytes.
func textKey(text []byte) (key uint64) {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64(text)
	}
	for i, c := range text {
		key |= uint64(c) << (56 - 8*i)
	}
	return key
}
