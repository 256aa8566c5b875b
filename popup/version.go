package popup

import (
	"bytes"
	"cmp"
)

// Version is a parsed version such as "3.2.1-beta.2". It is tolerant where apps
// are: one to four numbers ("3.2" is 3.2.0.0), a leading v, leading zeros.
type Version struct {
	numbers    [4]uint64
	prerelease []byte // aliases what was parsed; empty for a release
}

const maxVersion = 64 // bytes

// ParseVersion reads a version; it allocates nothing and the result aliases b.
// Build metadata after + is checked and ignored. A space does for the +, since
// a query string turns one into the other.
func ParseVersion(b []byte) (v Version, ok bool) {
	if len(b) == 0 || len(b) > maxVersion {
		return v, false
	}
	if b[0] == 'v' || b[0] == 'V' {
		b = b[1:]
	}
	if b, ok = v.readNumbers(b); !ok {
		return v, false
	}
	if len(b) > 0 && b[0] == '-' {
		end := bytes.IndexAny(b, "+ ")
		if end < 0 {
			end = len(b)
		}
		v.prerelease, b = b[1:end], b[end:]
		if !areIdentifiers(v.prerelease) {
			return v, false
		}
	}
	if len(b) == 0 {
		return v, true
	}
	return v, (b[0] == '+' || b[0] == ' ') && areIdentifiers(b[1:])
}

// readNumbers reads the one to four numbers that b starts with, and returns what
// follows them.
func (v *Version) readNumbers(b []byte) (rest []byte, ok bool) {
	for i := range v.numbers {
		n, size := leadingNumber(b)
		if size == 0 || size > 18 { // 18 digits fit a uint64
			return nil, false
		}
		v.numbers[i], b = n, b[size:]
		if len(b) == 0 || b[0] != '.' {
			return b, true
		}
		b = b[1:]
	}
	return nil, false
}

// leadingNumber reads the digits that b starts with; a size over 18 means that n is wrong.
func leadingNumber(b []byte) (n uint64, size int) {
	for size < len(b) && isDigit(b[size]) {
		n = n*10 + uint64(b[size]-'0')
		size++
	}
	return n, size
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// areIdentifiers reports whether b is [0-9A-Za-z-]+ joined by dots.
func areIdentifiers(b []byte) bool {
	last := byte('.')
	for _, c := range b {
		switch {
		case isDigit(c), 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-':
		case c == '.' && last != '.':
		default:
			return false
		}
		last = c
	}
	return last != '.'
}

// Compare returns -1, 0 or 1 as v comes before, with or after o in the order of
// semver.org: a prerelease comes before its release, identifiers of digits
// before others and by value, a shorter list before a longer one.
func (v *Version) Compare(o *Version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], o.numbers[i]); c != 0 {
			return c
		}
	}
	a, b := v.prerelease, o.prerelease
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(b), len(a)) // the one without is the release
	}
	for len(a) > 0 && len(b) > 0 {
		var x, y []byte
		x, a, _ = bytes.Cut(a, dot)
		y, b, _ = bytes.Cut(b, dot)
		if c := compareIdentifiers(x, y); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// SortKey returns a number for sorting: a version with a lower one comes before those with
// a higher one. Versions with the same one have to be compared.
func (v *Version) SortKey() (key uint64) {
	for i, n := range v.numbers {
		if n >= 1<<16-1 { // does not fit: the highest of the keys that begin like this
			return (key+1)<<(64-16*i) - 1
		}
		key = key<<16 | n
	}
	return key
}

var dot = []byte{'.'}

func compareIdentifiers(a, b []byte) int {
	x, xNumber := trimNumber(a)
	y, yNumber := trimNumber(b)
	switch {
	case xNumber && yNumber:
		if c := cmp.Compare(len(x), len(y)); c != 0 {
			return c
		}
		return bytes.Compare(x, y)
	case xNumber:
		return -1
	case yNumber:
		return 1
	}
	return bytes.Compare(a, b)
}

// trimNumber reports whether id is all digits and returns them without leading zeros.
func trimNumber(id []byte) (digits []byte, ok bool) {
	for _, c := range id {
		if !isDigit(c) {
			return nil, false
		}
	}
	return bytes.TrimLeft(id, "0"), true
}
