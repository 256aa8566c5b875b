package console

import (
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLockoutRemembersFew(t *testing.T) {
	now := int64(1_000_000)
	l := newLockout(func() int64 { return now })
	client := func(i int) lockKey {
		return lockKey{client: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)}
	}
	for range maxGuesses {
		l.check(client(0), true)
	}
	for i := 1; i <= 20*maxGuessers; i++ {
		now++
		l.check(client(i), true)
		if len(l.guessers) > maxGuessers {
			t.Fatalf("%d clients are remembered, want %d at most", len(l.guessers), maxGuessers)
		}
	}
	if v := l.check(client(20*maxGuessers), false); v.wait != 0 || l.guessers[client(20*maxGuessers)].guesses != 1 {
		t.Errorf("the latest client: %+v, want it remembered with one guess", v)
	}
	// A client that presents the right token takes no room.
	before := len(l.guessers)
	for i := range 100 {
		l.check(client(1<<20+i), false)
	}
	if len(l.guessers) != before {
		t.Errorf("%d clients are remembered, want %d", len(l.guessers), before)
	}
	// Room is first made of what is over.
	now += lockTime.Milliseconds()
	l.check(client(1<<21), true)
	if len(l.guessers) != 1 {
		t.Errorf("%d clients are remembered when all others are over, want 1", len(l.guessers))
	}
}

// Guesses of one token lock out from that token, and only their own client.
func TestLockoutByTokenAndClient(t *testing.T) {
	l := newLockout(func() int64 { return 1 })
	here, there := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	for range maxGuesses {
		l.check(lockKey{"id-1", here}, true)
	}
	for key, want := range map[lockKey]bool{{"id-1", here}: true, {"id-2", here}: false, {"", here}: false, {"id-1", there}: false} {
		if got := l.check(key, false).wait > 0; got != want {
			t.Errorf("%+v is locked out: %v, want %v", key, got, want)
		}
	}
}

// Many guesses at once are no more guesses than one after the other.
func TestLockoutAtOnce(t *testing.T) {
	l := newLockout(func() int64 { return 1 })
	var lookedAt, shut atomic.Int32
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			v := l.check(lockKey{}, true)
			if v.shut {
				shut.Add(1)
			}
			if v.wait == 0 {
				lookedAt.Add(1)
			}
		})
	}
	wg.Wait()
	if lookedAt.Load() != maxGuesses-1 || shut.Load() != 1 {
		t.Errorf("%d guesses were looked at and %d began a lock, want %d and 1", lookedAt.Load(), shut.Load(), maxGuesses-1)
	}
}

// A lock ends when the clock is set back: it would last for as long as it was ahead.
func TestLockoutClockGoesBack(t *testing.T) {
	now := int64(1_000_000_000)
	l := newLockout(func() int64 { return now })
	for range maxGuesses {
		l.check(lockKey{}, true)
	}
	now -= time.Hour.Milliseconds()
	if v := l.check(lockKey{}, false); v.wait != 0 {
		t.Errorf("locked out for %v after the clock went back", v.wait)
	}
}

func TestClientOf(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"192.0.2.1:1234", "192.0.2.1/32"},
		{"[::ffff:192.0.2.1]:1234", "192.0.2.1/32"},
		{"[2001:db8:1:2:3:4:5:6]:1", "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:1", "fe80::/64"},
		{"@", "invalid Prefix"},
		{"", "invalid Prefix"},
	} {
		if got := clientOf(&http.Request{RemoteAddr: c.address}).String(); got != c.want {
			t.Errorf("client of %q is %s, want %s", c.address, got, c.want)
		}
	}
}
