package snapshot

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// The rank of a value is how many cuts are not after it, also where keys are equal.
func TestRank(t *testing.T) {
	checkRanks(t, []number{number(math.Inf(-1)), -math.MaxFloat64, -2, -1, -5e-324, number(math.Copysign(0, -1)), 0, 5e-324, 1, 2, math.MaxFloat64, number(math.Inf(1))})
	checkRanks(t, []moment{math.MinInt64, -2, -1, 0, 1, 2, math.MaxInt64})
	var addresses []address
	for _, text := range []string{"0.0.0.0", "0.0.0.1", "127.255.255.255", "128.0.0.0", "255.255.255.255", "::", "::1", "::2", "2001:db8::", "2001:db8:0:1::", "8000::", "8000::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
		addresses = append(addresses, address(netip.MustParseAddr(text)))
	}
	checkRanks(t, addresses)
	var versions []versionCut
	for _, text := range []string{"0-0", "0", "0.0.0.1", "1-1", "1-a", "1-a.1", "1", "1.65534.65535", "1.65535", "1.65535.1", "1.65536-a", "1.65536", "1.65536.1", "2", "65534", "65535", "65535.1", "65536", "999999999999999999"} {
		v, ok := popup.ParseVersion([]byte(text))
		if !ok {
			t.Fatalf("%s is no version", text)
		}
		versions = append(versions, versionCut{version: &v}, versionCut{version: &v, isAfter: true})
	}
	checkRanks(t, versions)
}

// checkRanks ranks each of some values among all cuts, and among those at even indexes.
func checkRanks[T cutPoint[T]](t *testing.T, values []T) {
	t.Helper()
	var even []T
	for i := 0; i < len(values); i += 2 {
		even = append(even, values[i])
	}
	for _, ends := range [][]T{nil, values[:1], even, values} {
		var distinct []T
		for _, end := range ends {
			if !slices.ContainsFunc(distinct, func(other T) bool { return other.compare(end) == 0 }) {
				distinct = append(distinct, end)
			}
		}
		c := newCuts(slices.Clone(ends))
		for i, v := range values {
			want := uint32(0)
			for _, end := range distinct {
				if end.compare(v) <= 0 {
					want++
				}
			}
			if got := c.rank(v); got != want {
				t.Errorf("%T %d among %d cuts has rank %d, want %d", v, i, len(distinct), got, want)
			}
		}
	}
}

// All prefixes of a text are found, however much of them is equal and however short they are.
func TestPrefixesWithEqualKeys(t *testing.T) {
	long := strings.Repeat("0123456789", 30)
	all := []string{"", "a", "a\x00", "a\x00\x00", "ab", "\xff", long[:7], long[:8], long[:9], long[:8] + "\x00", long[:16], long[:17], long[:16] + "z", long[:100] + "y", long[:299], long}
	texts := append([]string{"\x00", "b", "0", long + "0", long[:8] + "\x00\x00", long[:8] + "\xff", long[:16] + "zz", long[:100] + "z", "\xff\xff"}, all...)
	for _, prefixes := range [][]string{all, all[1:], all[6:], all[8:], all[12:13], all[13:]} {
		uses := make([]use, len(prefixes))
		for i, prefix := range prefixes {
			uses[i] = use{&condition{text: []byte(prefix)}, uint32(i)}
		}
		x := newPrefixIndex(uses, 1, func(c *condition) string { return string(c.text) })
		for _, text := range texts {
			want, got := uint64(0), make([]uint64, 1)
			for i, prefix := range prefixes {
				if strings.HasPrefix(text, prefix) {
					want |= 1 << i
				}
			}
			for _, p := range x.find(nil, []byte(text)) {
				p.addTo(got)
			}
			if got[0] != want {
				t.Errorf("%.40q has the prefixes %b of %d, want %b", text, got[0], len(prefixes), want)
			}
		}
	}
}
