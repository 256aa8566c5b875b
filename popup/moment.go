package popup

import (
	"math"
	"time"
)

// ParseTime reads an RFC 3339 time, or a date, which is its midnight UTC. What is below a
// millisecond is cut off. A space does for the + of an offset, since a query string turns
// one into the other. It allocates nothing.
func ParseTime(b []byte) (ms int64, ok bool) {
	year, ok1 := number(b, 0, 4, 0, 9999)
	month, ok2 := number(b, 5, 2, 1, 12)
	day, ok3 := number(b, 8, 2, 1, 31)
	if !ok1 || !ok2 || !ok3 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day { // as of the 30th of February
		return 0, false
	}
	if len(b) == len("2026-01-31") {
		return date.UnixMilli(), true
	}
	of, ok := clockMS(b[len("2026-01-31"):])
	return date.UnixMilli() + of, ok
}

// clockMS reads what follows the date of a time, as milliseconds since midnight UTC.
func clockMS(b []byte) (ms int64, ok bool) {
	hour, ok1 := number(b, 1, 2, 0, 23)
	minute, ok2 := number(b, 4, 2, 0, 59)
	second, ok3 := number(b, 7, 2, 0, 59)
	if !ok1 || !ok2 || !ok3 || b[0] != 'T' && b[0] != 't' || b[3] != ':' || b[6] != ':' {
		return 0, false
	}
	ms = int64((hour*60+minute)*60+second) * 1000
	b = b[len("T09:00:00"):]
	if len(b) > 0 && b[0] == '.' {
		digits := 1
		for scale := int64(100); digits < len(b) && isDigit(b[digits]); digits++ {
			ms += int64(b[digits]-'0') * scale
			scale /= 10
		}
		if digits == 1 {
			return 0, false
		}
		b = b[digits:]
	}
	if len(b) == 1 {
		return ms, b[0] == 'Z' || b[0] == 'z'
	}
	hour, ok1 = number(b, 1, 2, 0, 23)
	minute, ok2 = number(b, 4, 2, 0, 59)
	if !ok1 || !ok2 || len(b) != len("+01:00") || b[3] != ':' {
		return 0, false
	}
	offset := int64(hour*60+minute) * 60_000
	switch b[0] {
	case '+', ' ':
		return ms - offset, true
	case '-':
		return ms + offset, true
	}
	return 0, false
}

// number reads the number of so many digits at b[at:].
func number(b []byte, at, digits, least, most int) (n int, ok bool) {
	if len(b) < at+digits {
		return 0, false
	}
	for _, c := range b[at : at+digits] {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, least <= n && n <= most
}

// maxAge bounds what an age may say: 100 years.
const maxAge = 36525 * 24 * time.Hour

// ParseAge reads an age such as "7d": a whole number of seconds (s), minutes (m), hours
// (h), days of 24 hours (d) or weeks (w), up to 100 years.
func ParseAge(s string) (ms int64, ok bool) {
	if len(s) < 2 {
		return 0, false
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	unit := units[s[len(s)-1]]
	n, ok := number([]byte(s), 0, min(len(s)-1, 11), 0, math.MaxInt)
	if !ok || unit == 0 || len(s) > 12 || n > int(maxAge/unit) {
		return 0, false
	}
	return int64(n) * unit.Milliseconds(), true
}
