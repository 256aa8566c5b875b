package snapshot

import "strconv"

// maxNumber is the longest attribute that is read as a number, in bytes. With
// exponents of two digits no number is out of range, and converting so few bytes
// to a string does not allocate.
const maxNumber = 32

// parseNumber reads a decimal number as in JSON, leading zeros and a + allowed.
func parseNumber(b []byte) (float64, bool) {
	if len(b) > maxNumber || !isNumber(b) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}

// isNumber checks the syntax, since strconv allocates its errors.
func isNumber(b []byte) bool {
	b = withoutSign(b)
	n := digits(b)
	if n == 0 {
		return false
	}
	b = b[n:]
	if len(b) > 0 && b[0] == '.' {
		if n = digits(b[1:]); n == 0 {
			return false
		}
		b = b[1+n:]
	}
	return len(b) == 0 || isExponent(b)
}

// isExponent accepts e or E, an optional sign, and one or two digits.
func isExponent(b []byte) bool {
	if b[0] != 'e' && b[0] != 'E' {
		return false
	}
	b = withoutSign(b[1:])
	n := digits(b)
	return n == len(b) && (n == 1 || n == 2)
}

func withoutSign(b []byte) []byte {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		return b[1:]
	}
	return b
}

// digits counts the digits that b starts with.
func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}
