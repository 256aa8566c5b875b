package console

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// lockout stops guessing of tokens: a client that presents maxGuesses wrong ones
// within guessWindow is answered 429 for lockTime, also when it presents the right
// one meanwhile. A client is an address, or the /64 network of an IPv6
// address, since that is what one client has; addresses that a proxy reports
// are not looked at, as anybody could write them.
//
// Each named token is counted for itself, by its id, so that a program with an expired token
// does not lock out the others at its address; those that look like one, and are none any
// more, together; sessions of the console likewise. Whatever else is presented counts as a guess
// of the token of -admin-token.
//
// At most maxGuessers keys are remembered. Where a new one has no room, the one
// that guessed last longest ago is forgotten: who has that many addresses
// guesses with each of them, at the rate that each of them has.
type lockout struct {
	now func() int64 // ms

	mu       sync.Mutex
	guessers map[lockKey]*guesser
}

// lockKey is what guesses are counted by.
type lockKey struct {
	what   string // id of a named token, unknownToken, the same of sessions, or empty for -admin-token
	client netip.Prefix
}

const (
	maxGuesses  = 10
	guessWindow = time.Minute
	lockTime    = 5 * time.Minute
	maxGuessers = 1024
)

// guesser is a client that has presented wrong tokens.
type guesser struct {
	guesses int
	sinceMS int64 // start of the window that they are counted in, or of the lock
	locked  bool
}

func newLockout(now func() int64) *lockout {
	return &lockout{now: now, guessers: make(map[lockKey]*guesser)}
}

// verdict is what becomes of a request.
type verdict struct {
	wait time.Duration // above 0: the client is locked out for this long
	shut bool          // this request is why
}

// check counts a guess, if the request was one, and says whether its client is
// locked out. Requests at the same time are counted one after the other, so that
// many at once are no more guesses.
func (l *lockout) check(key lockKey, guessed bool) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	g := l.guessers[key]
	if g != nil && g.over(now) {
		delete(l.guessers, key)
		g = nil
	}
	switch {
	case g != nil && g.locked:
		return verdict{wait: lockTime - time.Duration(now-g.sinceMS)*time.Millisecond}
	case !guessed:
		return verdict{}
	case g == nil:
		l.makeRoom(now)
		g = &guesser{sinceMS: now}
		l.guessers[key] = g
	}
	if g.guesses++; g.guesses < maxGuesses {
		return verdict{}
	}
	g.locked, g.sinceMS = true, now
	return verdict{wait: lockTime, shut: true}
}

// over reports whether there is nothing to remember of the client any more. A
// clock that was set back ends it too: else it could last for ever.
func (g *guesser) over(nowMS int64) bool {
	span := guessWindow
	if g.locked {
		span = lockTime
	}
	return nowMS < g.sinceMS || nowMS-g.sinceMS >= span.Milliseconds()
}

// makeRoom forgets what is over and, if that is not enough, one more.
func (l *lockout) makeRoom(nowMS int64) {
	if len(l.guessers) < maxGuessers {
		return
	}
	var oldest lockKey
	for key, g := range l.guessers {
		if g.over(nowMS) {
			delete(l.guessers, key)
		} else if o := l.guessers[oldest]; o == nil || g.sinceMS < o.sinceMS {
			oldest = key
		}
	}
	if len(l.guessers) >= maxGuessers {
		delete(l.guessers, oldest)
	}
}

// clientOf returns the client that a request comes from. What has no IP address
// is one client.
func clientOf(r *http.Request) netip.Prefix {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	address, bits := from.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	client, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return client
}
