package popup

import (
	"bytes"
	"net/netip"
	"strings"
)

// ParseNetwork reads a network such as "10.0.0.0/8" or "2001:db8::/32", or an address,
// which is a network of its own. A network of IPv4 that is written as one of IPv6
// (::ffff:10.0.0.0/104) is one of IPv4. Bits after the prefix do not matter.
func ParseNetwork(s string) (netip.Prefix, bool) {
	address, bitsText, hasBits := strings.Cut(s, "/")
	a, ok := ParseAddr([]byte(address))
	if !ok {
		return netip.Prefix{}, false
	}
	if !hasBits {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	bits, n := leadingNumber([]byte(bitsText))
	if n == 0 || n > 3 || n != len(bitsText) || n > 1 && bitsText[0] == '0' {
		return netip.Prefix{}, false
	}
	if a.Is4() && strings.Contains(address, ":") {
		if bits < 96 {
			return netip.Prefix{}, false // would have both addresses of IPv4 and of IPv6
		}
		bits -= 96
	}
	p, err := a.Prefix(int(bits))
	return p, err == nil
}

// ParseAddr reads an address of IPv4 or IPv6 without a zone. One of IPv4 that is written as
// one of IPv6 (::ffff:10.0.0.1) is one of IPv4. It is [netip.ParseAddr] without its
// allocations for what is no address.
func ParseAddr(b []byte) (netip.Addr, bool) {
	if bytes.IndexByte(b, ':') < 0 {
		a4, ok := parse4(b)
		return netip.AddrFrom4(a4), ok
	}
	a16, ok := parse6(b)
	return netip.AddrFrom16(a16).Unmap(), ok
}

// parse4 reads four numbers up to 255 that dots separate.
func parse4(b []byte) (a [4]byte, ok bool) {
	for i := range a {
		n, size := leadingNumber(b)
		if size == 0 || size > 3 || n > 255 || size > 1 && b[0] == '0' {
			return a, false
		}
		a[i], b = byte(n), b[size:]
		if i == 3 {
			break
		}
		if len(b) == 0 || b[0] != '.' {
			return a, false
		}
		b = b[1:]
	}
	return a, len(b) == 0
}

// parse6 reads groups of hex digits that colons separate. Two colons stand for one group
// of zeros or more; the last two groups may be an address of IPv4.
func parse6(b []byte) (a [16]byte, ok bool) {
	n, gap := 0, -1 // bytes read, and how many of them stand before the two colons
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		gap, b = 0, b[2:]
	}
	for len(b) > 0 {
		if n == len(a) {
			return a, false
		}
		group, size := hexGroup(b)
		if size < len(b) && b[size] == '.' {
			a4, ok := parse4(b)
			if !ok || n > len(a)-4 {
				return a, false
			}
			n += copy(a[n:], a4[:])
			break
		}
		if size == 0 || size > 4 {
			return a, false
		}
		a[n], a[n+1] = byte(group>>8), byte(group)
		n, b = n+2, b[size:]
		if len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return a, false
		}
		if b = b[1:]; b[0] == ':' {
			if gap >= 0 {
				return a, false
			}
			gap, b = n, b[1:]
		}
	}
	if gap < 0 {
		return a, n == len(a)
	}
	zeros := len(a) - n
	if zeros < 2 {
		return a, false
	}
	copy(a[gap+zeros:], a[gap:n])
	clear(a[gap : gap+zeros])
	return a, true
}

// hexGroup reads the hex digits that b starts with, no more than five.
func hexGroup(b []byte) (group, size int) {
	for size < min(len(b), 5) {
		digit := strings.IndexByte("0123456789abcdef", lower(b[size]))
		if digit < 0 {
			break
		}
		group = group<<4 | digit
		size++
	}
	return group, size
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
