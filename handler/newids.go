package handler

import (
	"hash/maphash"
	"math"
	"net"
	"sync"
)

// newIDs limits how many users that are not known yet one client address may
// bring, so that made-up ids cannot fill the memory for users. Each client has
// a token bucket of one second's worth, at least one.
//
// The buckets are a table of a fixed size, in sets of a few. A client whose set
// is full of busy clients shares the bucket of one of them.
type newIDs struct {
	seed    maphash.Seed
	perMS   float64
	burst   float64
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

// newNewIDs returns a limit of perSecond new users a second and client, nil,
// which is no limit, if that is 0.
func newNewIDs(perSecond float64) *newIDs {
	if perSecond == 0 {
		return nil
	}
	return &newIDs{seed: maphash.MakeSeed(), perMS: perSecond / 1000, burst: max(1, perSecond)}
}

// client returns the key of a client address: the address, or the /64 network
// of an IPv6 address, since that is what one client has. What is no IP address
// is one client.
func (l *newIDs) client(a net.Addr) uint64 {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return 0
	}
	ip := tcp.IP
	if v4 := ip.To4(); v4 != nil {
		return maphash.Bytes(l.seed, v4)
	}
	return maphash.Bytes(l.seed, ip[:min(8, len(ip))])
}

// admit takes one token from the client's bucket and reports false if there
// was none. A nil limit admits everyone.
func (l *newIDs) admit(client uint64, nowMS int64) bool {
	if l == nil {
		return true
	}
	s := &l.buckets[client%bucketSets]
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.find(client, nowMS-int64(math.Ceil(l.burst/l.perMS)))
	if b.atMS == 0 {
		*b = bucket{client: client, tokens: l.burst, atMS: nowMS}
	}
	// A clock that goes back gives nothing.
	b.tokens = min(l.burst, b.tokens+float64(max(0, nowMS-b.atMS))*l.perMS)
	b.atMS = max(nowMS, b.atMS)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
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
