package sample

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// forget resets a user as of now.
func (b *bench) forget(user string) { b.Forget(b.users.Hash([]byte(user)), b.nowMS) }

// wants holds the users of the trace, with how many polls each has.
func (b *bench) wants(when string, want map[string]int) {
	b.Helper()
	byHash := map[uint64]int{}
	for user, n := range want {
		byHash[b.users.Hash([]byte(user))] = n
	}
	if d := cmp.Diff(byHash, b.kept()); d != "" {
		b.Errorf("%s (-want +got):\n%s", when, d)
	}
}

// has reports whether polls of a user are in memory.
func (b *bench) has(user string) bool {
	hash := b.users.Hash([]byte(user))
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.buckets {
		for p, rest, ok := nextPoll(b.buckets[i].polls); ok; p, rest, ok = nextPoll(rest) {
			if userOf(p) == hash || priorOf(p) == hash {
				return true
			}
		}
	}
	return false
}

// A reset takes the polls of before, under either id, and none of those after it.
func TestForget(t *testing.T) {
	b := newBench(t, 10)
	b.poll("a")
	b.poll("b")
	b.offer(&popup.Request{User: []byte("c"), PriorUser: []byte("a")})
	b.forget("a")
	b.wants("at once", map[string]int{"b": 1})
	b.pass(clockSkew)
	b.poll("a") // which another server may have served before
	b.pass(time.Second)
	b.poll("a")
	for range 2 { // a reset is told at each catch-up
		b.Forget(b.users.Hash([]byte("a")), noon)
		b.wants("later", map[string]int{"a": 1, "b": 1})
		b.sweep()
		b.wants("after a sweep", map[string]int{"a": 1, "b": 1})
		b.wantExact()
	}
	if b.has("c") || b.held != b.live {
		t.Errorf("after a sweep %d bytes are in memory, want %d", b.held, b.live)
	}
	b.pass(26 * time.Hour)
	b.advance()
	if n := len(b.resets.untilMS); n != 0 {
		t.Errorf("%d resets are known when they cover nothing any more", n)
	}
	b.Forget(1, noon)
	if n := len(b.resets.untilMS); n != 0 {
		t.Error("a reset of days ago is taken note of")
	}
}

// A reset is told after the file was read: the file of a process that was killed before it
// could write again does not bring a user back, and is written without the user soon.
func TestForgottenUsersDoNotComeBack(t *testing.T) {
	b := newBench(t, 10)
	b.poll("a")
	b.poll("b")
	b.save()
	b.pass(time.Second)
	killed := b.nowMS
	b.pass(10 * time.Minute)

	synctest.Test(t, func(t *testing.T) {
		next := *b
		next.Reservoir = NewReservoir(b.config)
		next.Load(b.users)
		next.wants("from the file", map[string]int{"a": 1, "b": 1})
		next.Forget(b.users.Hash([]byte("a")), killed)
		next.wants("at once", map[string]int{"b": 1})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- next.Run(ctx) }()
		time.Sleep(2 * sweepEvery)
		synctest.Wait()
		if next.has("a") {
			t.Error("the polls are still in memory")
		}
		time.Sleep(advanceEvery)
		synctest.Wait()
		written := NewReservoir(b.config)
		written.Load(b.users)
		if n := len(written.trace().polls); n != 1 {
			t.Errorf("the file has %d polls, want 1", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if d := cmp.Diff([]string{"sample"}, b.files()); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

// What comes while a bucket is swept stays, and what was halved meanwhile leaves.
func TestSwap(t *testing.T) {
	b := newBench(t, 100)
	want, reset := map[string]int{}, ""
	for i := range 100 {
		user := fmt.Sprint("user ", i)
		b.poll(user)
		if b.users.Hash([]byte(user)) < everybody/2 {
			want[user], reset = 1, user
		}
	}
	b.forget(reset)
	old := b.buckets[0]
	next := old.without(&b.resets)
	b.pass(2 * clockSkew)
	b.poll(reset)
	b.lowerLocked(everybody / 2)
	b.live -= b.buckets[0].thin(everybody / 2)
	b.swap(old, next)
	b.wantExact()
	if below := b.buckets[0].below; below != everybody/2 {
		t.Errorf("the threshold is %x again", below)
	}
	b.wants("after the swap", want)
	for _, p := range b.trace().polls {
		if p.user == b.users.Hash([]byte(reset)) && p.atMS == noon {
			t.Error("the poll of before the reset is left in place of the one after it")
		}
	}
	b.sweep()
	b.wantExact()
	b.wants("after a sweep", want)
	if b.held != b.live {
		t.Errorf("%d bytes are held, want %d", b.held, b.live)
	}
}

// A bucket that expires while it is swept, and begins anew, takes nothing of the old one.
func TestSwapOfABucketThatBeganAnew(t *testing.T) {
	b := newBench(t, 100)
	for i := range 10 {
		b.poll(fmt.Sprint("user ", i))
	}
	old := b.buckets[0]
	next := old.without(&b.resets)
	b.pass(-time.Hour) // the clock was wrong
	b.poll("a")
	b.pass(time.Hour)
	b.poll("b")
	b.swap(old, next)
	b.wants("after the swap", map[string]int{"a": 1, "b": 1})
	b.wantExact()
}

// A file is written without users who were reset, also before a sweep, and stands alone.
func TestFileOfResetUsers(t *testing.T) {
	b := newBench(t, 10)
	b.poll("a")
	b.poll("b")
	b.save()
	b.forget("a")
	b.save()
	next := *b
	next.Reservoir = NewReservoir(b.config)
	if d := cmp.Diff([]string{"sample"}, b.files()); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	next.Load(b.users)
	next.wants("in the file", map[string]int{"b": 1})
}

// Also what is thinned out of the memory may be in the file of before.
func TestResetRewritesTheFile(t *testing.T) {
	b := newBench(t, 1)
	for i := range 300 {
		b.poll(fmt.Sprint("user ", i))
	}
	b.save()
	before, err := os.Stat(b.config.File)
	if err != nil {
		t.Fatal(err)
	}
	b.buckets[0].thin(0) // as when there are more
	b.live = 0
	b.sweep()
	b.forget("user 1")
	b.save()
	if after, err := os.Stat(b.config.File); err != nil || after.Size() >= before.Size() {
		t.Errorf("%d bytes, then %d, %v", before.Size(), after.Size(), err)
	}
}

// While polls come users are reset and left out, and nothing of the others is lost.
func TestForgetWhilePollsCome(t *testing.T) {
	b := newBench(t, 1000)
	var stop atomic.Bool
	done := make(chan bool)
	go func() {
		for !stop.Load() {
			b.sweep()
		}
		close(done)
	}()
	const users, rounds = 100, 60
	for round := range rounds {
		for i := range users {
			b.poll(fmt.Sprint("user ", i))
		}
		if round < users/2 {
			b.forget(fmt.Sprint("user ", 2*round))
		}
	}
	stop.Store(true)
	<-done
	b.sweep()
	want := map[string]int{}
	for i := 1; i < users; i += 2 {
		want[fmt.Sprint("user ", i)] = rounds
	}
	b.wants("at the end", want)
	b.wantExact()
}

// fullBench has a sample that has no room, in one bucket.
func fullBench(b *testing.B) *bench {
	x := newBench(b, 1000)
	path := make([]byte, 60)
	for i := 0; x.live < maxBytes*9/10; i++ {
		x.offer(&popup.Request{User: fmt.Appendf(nil, "user %d", i%10_000), Path: path})
	}
	return x
}

// What a reset costs whoever asks for it, whatever is kept.
func BenchmarkForget(b *testing.B) {
	x := fullBench(b)
	for hash := uint64(1); b.Loop(); hash++ {
		x.Forget(hash, x.nowMS)
	}
}

// For how long polls wait at most while a full sample is swept.
func BenchmarkSwap(b *testing.B) {
	x := fullBench(b)
	for b.Loop() {
		old := x.buckets[0]
		x.swap(old, bucket{startMS: old.startMS, below: old.below, polls: old.polls, live: old.live, leave: old.leave})
	}
}

// How long a sweep takes, beside polls.
func BenchmarkSweep(b *testing.B) {
	x := fullBench(b)
	for hash := uint64(1); b.Loop(); hash++ {
		x.Forget(hash, x.nowMS)
		x.sweep()
	}
}

// A poll that a reset covers is not even in memory: no sweep may come after it.
func TestCoveredPollIsNotKept(t *testing.T) {
	b := newBench(t, 10)
	b.forget("a")
	b.poll("a")
	if b.has("a") {
		t.Error("the poll is in memory")
	}
	b.wantExact()
}
