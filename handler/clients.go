package handler

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/valyala/fasthttp"
)

// clients tells clients apart by their addresses.
type clients struct {
	seed    maphash.Seed
	proxies []netip.Prefix
}

func newClients(proxies []netip.Prefix) *clients {
	return &clients{seed: maphash.MakeSeed(), proxies: slices.Clone(proxies)}
}

// ParseProxies reads a list of addresses and networks, separated by commas.
func ParseProxies(list string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" && strings.TrimSpace(list) == "" {
			break
		}
		p, err := netip.ParsePrefix(text)
		if a, errAddr := netip.ParseAddr(text); errAddr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() { // which would never contain an address of IPv4
			return nil, fmt.Errorf("%q: want an address or a network such as 10.0.0.0/8", text)
		}
		proxies = append(proxies, p)
	}
	return proxies, nil
}

// of returns the key of the client that a request is from.
func (c *clients) of(ctx *fasthttp.RequestCtx) uint64 { return c.key(c.address(ctx)) }

// address returns the address of the client that a request is from, the zero address if it
// has none.
func (c *clients) address(ctx *fasthttp.RequestCtx) netip.Addr {
	tcp, ok := ctx.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	peer, _ := netip.AddrFromSlice(tcp.IP)
	if peer = peer.Unmap(); c.trusts(peer) {
		peer = c.forwarded(peer, ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor))
	}
	return peer
}

// maxAddress is the length of the longest address as text.
const maxAddress = len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")

// appendAddress appends the address of the client as text, nothing if it has none.
func (c *clients) appendAddress(dst []byte, ctx *fasthttp.RequestCtx) []byte {
	if a := c.address(ctx); a.IsValid() {
		return a.AppendTo(dst)
	}
	return dst
}

// key returns the key of an address: the address, or the /64 network of an IPv6
// address, since that is what one client has. What is no IP address is one client.
func (c *clients) key(a netip.Addr) uint64 {
	switch {
	case a.Is4():
		b := a.As4()
		return maphash.Bytes(c.seed, b[:])
	case a.Is6():
		b := a.As16()
		return maphash.Bytes(c.seed, b[:8])
	}
	return 0
}

func (c *clients) trusts(a netip.Addr) bool {
	for _, p := range c.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// forwarded returns the client that a trusted peer asks for. Each proxy adds
// whom it was asked by to the right, so the first from there that is no proxy
// of ours is the client, and what stands left of it is what the client says of
// itself. If that cannot be read, it is the peer.
func (c *clients) forwarded(peer netip.Addr, headers [][]byte) netip.Addr {
	client := peer
	for i := len(headers) - 1; i >= 0; i-- {
		for list, comma := headers[i], 0; comma >= 0; list = list[:max(comma, 0)] {
			comma = bytes.LastIndexByte(list, ',')
			var ok bool
			if client, ok = parseHop(list[comma+1:]); !ok {
				return peer
			}
			if !c.trusts(client) {
				return client
			}
		}
	}
	return client
}

// parseHop reads an element of X-Forwarded-For. Some proxies add the port, and
// then brackets around an IPv6 address.
func parseHop(b []byte) (netip.Addr, bool) {
	b = bytes.TrimSpace(b)
	if i := bytes.LastIndexByte(b, ':'); i >= 0 && (b[0] == '[' || bytes.IndexByte(b, ':') == i) {
		if b[0] == '[' && b[len(b)-1] == ']' {
			i = len(b) // no port
		}
		b = b[:i]
	}
	if len(b) > 2 && b[0] == '[' && b[len(b)-1] == ']' {
		b = b[1 : len(b)-1]
	}
	// An address keeps nothing of its text, but for a zone.
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	return a.Unmap(), err == nil && bytes.IndexByte(b, '%') < 0
}

// clientRate limits how much one client may do. Each has a token bucket of one
// second's worth, at least one.
//
// The buckets are a table of a fixed size, in sets of a few. A client whose set
// is full of busy clients shares the bucket of one of them.
type clientRate struct {
	perMS   float64
	burst   float64
	fillMS  int64 // after which any bucket is full
	buckets [bucketSets]bucketSet
}

const (
	bucketSets = 4096
	bucketWays = 4
)

type bucketSet struct {
	mu   sync.Mutex
	ways [bucketWays]bucket
}

type bucket struct {
	client uint64
	tokens float64
	atMS   int64 // when tokens was right; 0: not in use
}

// newClientRate returns a limit of perSecond a second and client, nil, which is
// no limit, if that is 0. No more than most are taken at once.
func newClientRate(perSecond float64, most int) *clientRate {
	if perSecond == 0 {
		return nil
	}
	l := &clientRate{perMS: perSecond / 1000, burst: max(1, perSecond)}
	l.fillMS = int64(math.Ceil((l.burst + float64(most-1)) / l.perMS))
	return l
}

// checkRate returns an error for what is no number of something a second.
func checkRate(perSecond float64) error {
	if math.IsNaN(perSecond) || math.IsInf(perSecond, 0) || perSecond < 0 {
		return fmt.Errorf("%v is no rate", perSecond)
	}
	return nil
}

// admit takes n tokens from the client's bucket, or reports false if there is
// none. One is enough: what is taken above that is owed, since an array is
// taken whole or not at all. A nil limit admits everyone.
func (l *clientRate) admit(client uint64, nowMS int64, n int) bool {
	if l == nil {
		return true
	}
	s := &l.buckets[client%bucketSets]
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.find(client, nowMS-l.fillMS)
	if b.atMS == 0 {
		*b = bucket{client: client, tokens: l.burst, atMS: nowMS}
	}
	// A clock that goes back gives nothing.
	b.tokens = min(l.burst, b.tokens+float64(max(0, nowMS-b.atMS))*l.perMS)
	b.atMS = max(nowMS, b.atMS)
	if b.tokens < 1 {
		return false
	}
	b.tokens -= float64(n)
	return true
}

// giveBack gives a token back that admit has taken, if another client has not got the bucket since.
func (l *clientRate) giveBack(client uint64) {
	if l == nil {
		return
	}
	s := &l.buckets[client%bucketSets]
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.find(client, 0); b.client == client {
		b.tokens = min(l.burst, b.tokens+1)
	}
}

// find returns the client's bucket, else a free one: empty, or not used since
// fullMS, by which it is full again. Else it is the one last used longest ago.
func (s *bucketSet) find(client uint64, fullMS int64) *bucket {
	oldest := &s.ways[0]
	for i := range s.ways {
		b := &s.ways[i]
		if b.atMS != 0 && b.client == client {
			return b
		}
		if b.atMS < oldest.atMS {
			oldest = b
		}
	}
	if oldest.atMS <= fullMS {
		oldest.atMS = 0
	}
	return oldest
}
