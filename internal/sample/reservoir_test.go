package sample

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// kept returns how many polls there are of each user.
func (b *bench) kept() map[uint64]int {
	out := map[uint64]int{}
	for _, p := range b.trace().polls {
		out[p.user]++
	}
	return out
}

// Of the users in the sample every poll is kept, and how many there are follows the rate.
func TestAllPollsOfSomeUsers(t *testing.T) {
	b := newBench(t, 2) // 600 in five minutes
	const users, rounds = 5000, 12
	offered := map[uint64]int{}
	random := rand.New(rand.NewPCG(1, 1))
	for range rounds { // an hour
		for range 20_000 {
			user := fmt.Sprint("user ", random.IntN(users))
			offered[b.users.Hash([]byte(user))]++
			b.poll(user)
		}
		b.pass(5 * time.Minute)
	}
	kept, polls := b.kept(), 0
	for user, n := range kept {
		polls += n
		if n != offered[user] {
			t.Fatalf("%d of the %d polls of user %x are kept", n, offered[user], user)
		}
	}
	if most := 600 * rounds; polls > most || polls < most/5 {
		t.Errorf("%d polls are kept of %d users, want at most %d and not much fewer", polls, len(kept), most)
	}
	// Each user polls 48 times: the share of the users is that of the polls.
	if share := float64(len(kept)) / users; share < 0.005 || share > 0.03 {
		t.Errorf("%.4f of the users are in the sample", share)
	}
}

// A simulation takes no user of whom a busy bucket has left polls out.
func TestTraceIsOfCompleteUsers(t *testing.T) {
	b := newBench(t, 1)
	poll := func(users int) {
		for i := range users {
			b.poll(fmt.Sprint("user ", i))
		}
		b.pass(5 * time.Minute)
		b.advance()
	}
	poll(2000) // of whom about 250 are kept
	for range 20 {
		b.advance()
		b.pass(5 * time.Minute)
	}
	poll(200) // all of them
	all := 0
	for i := range b.buckets {
		all += int(b.buckets[i].live.polls)
	}
	kept := b.kept()
	if len(kept) == 0 || all < len(kept)+200 {
		t.Errorf("%d polls are kept, the trace has %d users", all, len(kept))
	}
	for i := range 200 {
		if n := kept[b.users.Hash(fmt.Appendf(nil, "user %d", i))]; n == 1 {
			t.Errorf("user %d polled twice, the trace has one poll", i)
		}
	}
}

// The sample grows again when there are fewer polls, and a day later nothing tells of more.
func TestThresholdRises(t *testing.T) {
	b := newBench(t, 1)
	for i := range 10_000 {
		b.poll(fmt.Sprint("user ", i))
	}
	low := b.below.Load()
	for range 20 {
		b.pass(5 * time.Minute)
		b.advance()
	}
	if low == everybody || b.below.Load() != everybody {
		t.Errorf("threshold %x, then %x", low, b.below.Load())
	}
	b.mu.Lock()
	if got := b.lowestLocked(); got != low {
		t.Errorf("complete below %x, want %x", got, low)
	}
	b.mu.Unlock()
	b.pass(24 * time.Hour)
	b.poll("u")
	if got := b.kept(); len(got) != 1 {
		t.Errorf("%d users a day later, want 1", len(got))
	}
	left := 0
	for i := range b.buckets {
		left += len(b.buckets[i].polls)
	}
	if b.held != left || left > 100 {
		t.Errorf("%d bytes, want %d", b.held, left)
	}
}

// However long the polls, they take no more than the memory there is for them, also while
// nothing is swept.
func TestReservoirIsBounded(t *testing.T) {
	b := newBench(t, 1000)
	long := make([]byte, 3000)
	for i := range 3 * maxBytes / len(long) {
		b.offer(&popup.Request{User: fmt.Appendf(nil, "user %d", i), Path: long})
		if b.live > maxBytes || b.held > maxBytes+maxGarbage+maxPoll {
			t.Fatalf("%d bytes, of which %d are in the sample", b.held, b.live)
		}
		if i%1000 == 0 {
			b.pass(time.Minute)
		}
	}
	if b.live < maxBytes/4 {
		t.Errorf("only %d bytes are kept", b.live)
	}
	b.wantExact()
	before := b.live
	b.below.Store(everybody)
	b.offer(&popup.Request{User: []byte("u"), Path: make([]byte, maxPoll)})
	if b.live != before {
		t.Error("a poll that is too long was kept")
	}
	b.save()
	if info, err := os.Stat(b.config.File); err != nil || 2*info.Size() > b.DiskRoom() {
		t.Errorf("a file of %d bytes, %v; there is room for two of %d", info.Size(), err, b.DiskRoom()/2)
	}
	b.sweep()
	if b.held != before {
		t.Errorf("%d bytes are held after a sweep, want the %d of the sample", b.held, before)
	}
	b.wantExact()
}

// wantExact holds what is counted against the polls.
func (b *bench) wantExact() {
	b.Helper()
	live, held := 0, 0
	for i := range b.buckets {
		x := &b.buckets[i]
		var want size
		for p, rest, ok := nextPoll(x.polls); ok; p, rest, ok = nextPoll(rest) {
			if userOf(p) < x.below {
				want.polls++
				want.bytes += uint32(len(p))
			}
		}
		if x.live != want {
			b.Fatalf("bucket %d: %+v, want %+v", i, x.live, want)
		}
		live += int(want.bytes)
		held += len(x.polls)
	}
	if b.live != live || b.held != held {
		b.Fatalf("%d bytes, and %d held; want %d and %d", b.live, b.held, live, held)
	}
}

// A clock that was wrong leaves no polls of times to come, which would outlive their day and
// each reset.
func TestClockSetBack(t *testing.T) {
	for name, restart := range map[string]bool{"while it runs": false, "over a restart": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 10)
			b.poll("before")
			b.pass(1000 * time.Hour)
			b.poll("wrong")
			b.save()
			b.pass(bucketMS * time.Millisecond)
			b.advance()
			b.pass(-1000*time.Hour - bucketMS*time.Millisecond + time.Minute)
			b.poll("after") // "before" is too old for the time that was wrong
			if restart {
				b.Reservoir = NewReservoir(b.config)
				b.Load(b.users)
				b.wants("loaded", map[string]int{})
				b.poll("after")
			}
			b.wants("later", map[string]int{"after": 1})
			b.wantExact()
			b.pass(-30 * time.Second) // clocks are set by that much
			b.poll("after")
			b.wants("set back a little", map[string]int{"after": 2})
		})
	}
}

// Without a rate nothing is kept.
func TestNoRate(t *testing.T) {
	for _, r := range []*Reservoir{new(Reservoir), NewReservoir(Config{})} {
		if r.Keeps(0) || r.Run(t.Context()) != nil || r.DiskRoom() != 0 {
			t.Error("keeps polls")
		}
		if r.Forget(1, noon); r.resets.untilMS != nil {
			t.Error("keeps resets")
		}
		if _, err := r.Simulate(t.Context(), popup.Proposal{}); err != popup.ErrNoSample {
			t.Errorf("Simulate = %v", err)
		}
	}
}
