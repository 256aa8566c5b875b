package snapshot

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"
	"slices"

	"github.com/popupd/popupd/popup"
)

// cutPoint is a value before which ranges begin and end. Its key has the order of the
// values; unless it is exact, different values may have the same one.
type cutPoint[T any] interface {
	compare(T) int
	key() (key uint64, isExact bool)
}

// cuts are the ends of ranges, ascending. A range begins at its cut and ends before it.
type cuts[T cutPoint[T]] struct {
	keys   []uint64
	values []T // nil: their keys are exact
}

func newCuts[T cutPoint[T]](ends []T) (c cuts[T]) {
	slices.SortFunc(ends, T.compare)
	for i, end := range ends {
		if i > 0 && ends[i-1].compare(end) == 0 {
			continue
		}
		key, isExact := end.key()
		if c.keys = append(c.keys, key); !isExact {
			c.values = append(c.values, end)
		}
	}
	return c
}

// rank returns how many cuts are not after v.
func (c *cuts[T]) rank(v T) uint32 {
	key, isExact := v.key()
	if isExact {
		return uint32(countTo(c.keys, key))
	}
	return uint32(countUntil(c.keys, key, func(i int) bool { return c.values[i].compare(v) > 0 }))
}

// number is a cut before a number.
type number float64

func (a number) compare(b number) int { return cmp.Compare(a, b) }

func (a number) key() (key uint64, isExact bool) {
	key = math.Float64bits(float64(a) + 0) // of 0, if it is -0
	if key>>63 != 0 {
		return ^key, true
	}
	return key | 1<<63, true
}

// versionCut is a cut before a version, or after it.
type versionCut struct {
	version *popup.Version
	isAfter bool
}

func (a versionCut) compare(b versionCut) int {
	switch c := a.version.Compare(b.version); {
	case c != 0:
		return c
	case a.isAfter == b.isAfter:
		return 0
	case a.isAfter:
		return 1
	}
	return -1
}

func (a versionCut) key() (key uint64, isExact bool) { return a.version.SortKey(), false }

// moment is a cut before a time or an age, in ms.
type moment int64

func (a moment) compare(b moment) int { return cmp.Compare(a, b) }

func (a moment) key() (key uint64, isExact bool) { return uint64(a) ^ 1<<63, true }

// address is a cut before an address; those of IPv4 come first.
type address netip.Addr

func (a address) compare(b address) int { return netip.Addr(a).Compare(netip.Addr(b)) }

func (a address) key() (key uint64, isExact bool) {
	if of := netip.Addr(a); of.Is4() {
		bytes := of.As4()
		return uint64(binary.BigEndian.Uint32(bytes[:])), false
	}
	bytes := netip.Addr(a).As16()
	return 1<<63 | binary.BigEndian.Uint64(bytes[:])>>1, false
}

func numberBounds(c *condition, add func(from, to *number)) {
	at := number(c.number)
	after := number(math.Nextafter(c.number, math.Inf(1)))
	switch c.test {
	case testGt:
		add(&after, nil)
	case testGte:
		add(&at, nil)
	case testLt:
		add(nil, &at)
	default:
		add(nil, &after)
	}
}

func versionBounds(c *condition, add func(from, to *versionCut)) {
	at, after := versionCut{version: &c.version}, versionCut{version: &c.version, isAfter: true}
	switch c.test {
	case testSemverEq:
		add(&at, &after)
	case testSemverGt:
		add(&after, nil)
	case testSemverGte:
		add(&at, nil)
	case testSemverLt:
		add(nil, &at)
	default:
		add(nil, &after)
	}
}

func timeBounds(c *condition, add func(from, to *moment)) {
	at, after := moment(c.ms), moment(c.ms+1)
	if c.test == testBefore || c.test == testNewer { // a time before it, or an age under it
		add(nil, &at)
	} else {
		add(&after, nil)
	}
}

func networkBounds(c *condition, add func(from, to *address)) {
	for _, network := range c.networks {
		first := netip.Addr(network.Masked().Addr())
		bytes := first.AsSlice()
		for i := network.Bits(); i < 8*len(bytes); i++ {
			bytes[i/8] |= 0x80 >> (i % 8)
		}
		last, _ := netip.AddrFromSlice(bytes)
		from, to := address(first), address(last.Next())
		switch {
		case last.Next().IsValid():
			add(&from, &to)
		case last.Is4(): // the first address after the last of IPv4
			to = address(netip.IPv6Unspecified())
			add(&from, &to)
		default:
			add(&from, nil)
		}
	}
}
