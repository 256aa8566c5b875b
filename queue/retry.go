package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"
)

// errPanic is what [guard] makes of a panic.
var errPanic = errors.New("panic")

// guard makes an error of a panic in f: the server goes on answering polls while
// the events wait.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
		}
	}()
	return f()
}

// backoff spaces attempts out: each pause is about twice the one before.
type backoff time.Duration

// next returns how long to wait now: up to a quarter less than the pause, so
// that many servers do not come back at the same moment.
func (b *backoff) next(first, most time.Duration) time.Duration {
	*b = min(max(2*(*b), backoff(first)), backoff(most))
	return time.Duration(*b) - rand.N(time.Duration(*b)/4+1)
}

// pause waits for d and returns nil, or the error of a context that ends before.
func pause(ctx context.Context, d time.Duration) error {
	return wait(ctx, d, nil)
}

// wait is pause that also ends when there is something in wake.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// trouble is what goes wrong until all is well again, to be logged once for each
// cause: it may begin with a lost connection and go on with a refusal.
type trouble struct{ told []string }

// mostCauses bounds what is logged of one trouble.
const mostCauses = 8

// news reports whether to log err: nothing has failed for its cause since the last call of over.
func (t *trouble) news(err error) bool {
	c := cause(err)
	if slices.Contains(t.told, c) || len(t.told) == mostCauses {
		return false
	}
	t.told = append(t.told, c)
	return true
}

// over reports whether there was trouble, and forgets it.
func (t *trouble) over() bool {
	was := len(t.told) > 0
	t.told = nil
	return was
}

// cause is the innermost error, the last where there are several: what is around
// it has numbers that change with each attempt.
func cause(err error) string {
	for {
		var inner error
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			inner = e.Unwrap()
		case interface{ Unwrap() []error }:
			if all := e.Unwrap(); len(all) > 0 {
				inner = all[len(all)-1]
			}
		}
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// every calls f each d until ctx is done.
func every(ctx context.Context, d time.Duration, f func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f()
		}
	}
}

// notify leaves a value in a channel of capacity 1, if there is none.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
