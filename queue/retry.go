package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
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
