// Package retry is what a goroutine needs that tries again until something works:
// growing pauses ([Backoff], [Pause], [Wait]), a panic made an error ([Guard]), one
// log line instead of one per attempt ([Outage]), and the ticks and signals between
// attempts ([Every], [Notify]).
//
// It knows nothing of what is tried: which errors pass by themselves, and how long
// to wait for what, is the caller's to say.
package retry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Backoff spaces attempts out: each pause is about twice the one before, from First
// to Most. It is for one goroutine.
type Backoff struct {
	First, Most time.Duration

	last time.Duration // 0: no attempt has failed
}

// Next returns how long to wait now: up to a quarter less than the pause, so that
// many servers do not come back at the same moment.
func (b *Backoff) Next() time.Duration {
	b.last = min(max(2*b.last, b.First), b.Most)
	return b.last - rand.N(b.last/4+1)
}

// Reset makes the next pause the first one again.
func (b *Backoff) Reset() { b.last = 0 }

// Pause waits for d and returns nil, or returns the error of ctx, which ended before.
func Pause(ctx context.Context, d time.Duration) error { return Wait(ctx, d, nil) }

// Wait is [Pause] that also ends when wake has a value or is closed.
func Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Every calls f each d until ctx is done. The first call is after d.
func Every(ctx context.Context, d time.Duration, f func()) {
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

// Notify leaves a value in a channel of capacity 1, unless there is one already.
func Notify(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// ErrPanic is what [Guard] makes of a panic.
var ErrPanic = errors.New("panic")

// Guard returns what f returns. A panic in f becomes an [ErrPanic] with its value
// and its stack, so that the rest of the process goes on.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, v, debug.Stack())
		}
	}()
	return f()
}

// Outage logs that something stopped working and that it works again, not every
// attempt in between. It may be used from many goroutines.
type Outage struct {
	Log       *slog.Logger
	Begins    string // the warning when the first attempt fails
	Ends      string // told when an attempt succeeds again; "" is not told
	EachCause bool   // warn once for each cause: an outage may begin with a lost connection and go on with a refusal

	mu     sync.Mutex
	all    causes         // of Report
	active map[string]int // how many have the cause: the outage itself, and each of its parties
}

// causes are those of failed attempts since the last one that succeeded.
type causes []string

// maxCauses bounds what is logged of one outage.
const maxCauses = 8

// Report tells how an attempt ended: err, or nil for success. It returns whether that
// ended the outage.
func (o *Outage) Report(err error) (ended bool) { return o.report(&o.all, o.Log, err) }

// Party is one of many that may fail of the same cause at once, which is then logged
// once. The outage is over when all of them succeed.
type Party struct {
	outage *Outage
	log    *slog.Logger
	causes causes // guarded by outage.mu
}

// Party returns a party whose warnings go to a log of its own.
func (o *Outage) Party(log *slog.Logger) *Party { return &Party{outage: o, log: log} }

// Report tells how an attempt ended: err, or nil for success.
func (p *Party) Report(err error) { p.outage.report(&p.causes, p.log, err) }

// Leave ends the party, which may be failing: what it failed of does not last.
func (p *Party) Leave() {
	p.outage.mu.Lock()
	defer p.outage.mu.Unlock()
	p.outage.forgetLocked(&p.causes)
}

func (o *Outage) report(reported *causes, log *slog.Logger, err error) (ended bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		if ended = o.forgetLocked(reported); ended && o.Ends != "" {
			o.Log.Info(o.Ends)
		}
		return ended
	}
	cause := cause(err)
	if len(*reported) > 0 && (!o.EachCause || len(*reported) == maxCauses || slices.Contains(*reported, cause)) {
		return false
	}
	if !o.EachCause {
		cause = ""
	}
	*reported = append(*reported, cause)
	if o.active == nil {
		o.active = make(map[string]int)
	}
	if o.active[cause]++; o.active[cause] == 1 {
		log.Warn(o.Begins, "err", err)
	}
	return false
}

// forgetLocked takes causes out of the active ones, and reports whether they were the last.
func (o *Outage) forgetLocked(reported *causes) (ended bool) {
	for _, cause := range *reported {
		if o.active[cause]--; o.active[cause] == 0 {
			delete(o.active, cause)
		}
	}
	ended = len(*reported) > 0 && len(o.active) == 0
	*reported = nil
	return ended
}

// cause returns the text of the innermost error, the last where there are several:
// what is around it has numbers that change with each attempt.
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
