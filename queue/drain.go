package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// drain commits one stream to MySQL. It holds nothing that it cannot find out again:
// every flush fails if the progress is not what it believes.
type drain struct {
	consumer *Consumer
	id       popup.StreamID
	key      string
	log      *slog.Logger
	adopted  bool   // not ours: released when another flusher moves it or nothing comes
	stop     func() // ends run

	// The rest is run's.
	known     bool   // last is the progress, or was when we last moved it
	last      uint64 // committed up to here
	elements  int64  // to look at at once
	peek      peek
	batch     popup.Batch
	fruitless retry.Backoff // between looks at a list that holds nothing to commit yet
	seenAt    time.Time     // when there were elements; zero: never
}

func newDrain(k *Consumer, id popup.StreamID, adopted bool, stop func()) *drain {
	return &drain{
		consumer: k, id: id, adopted: adopted, stop: stop,
		key:       listKey(k.c.Prefix, id.String()),
		log:       k.c.Log.With("stream", id.String()),
		elements:  peekLeast,
		fruitless: retry.Backoff{First: flushEvery, Most: fruitlessMost},
	}
}

// errReleased says that an adopted stream is owned by another flusher, or idle.
var errReleased = errors.New("released")

// run commits the stream until ctx ends or an adopted stream is released.
func (d *drain) run(ctx context.Context) {
	pause := newBackoff()
	outage := d.consumer.outage.Party(d.log)
	defer outage.Leave()
	for ctx.Err() == nil {
		var idle time.Duration
		err := retry.Guard(func() (err error) { idle, err = d.step(ctx); return err })
		if ctx.Err() != nil || errors.Is(err, errReleased) {
			return
		}
		outage.Report(err)
		if err != nil {
			d.known = false
			idle = pause.Next()
		} else {
			pause.Reset()
		}
		if idle > 0 {
			_ = retry.Pause(ctx, idle) // ctx is looked at above
		}
	}
}

// step looks at the list once and commits what it can. It returns how long to wait
// before the next look.
func (d *drain) step(ctx context.Context) (idle time.Duration, err error) {
	release, err := d.takeSlot(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	seen, err := d.look(ctx)
	if err != nil {
		return 0, err
	}
	if seen == 0 {
		return d.whenEmpty()
	}
	fresh := !d.known
	if err := d.readProgress(ctx); err != nil || !d.known {
		return fruitlessMost, err // a stream that is not registered is not ours to begin
	}
	before := d.last
	if err := d.flush(ctx); err != nil {
		return 0, err
	}
	if d.last == before && !fresh {
		if same, err := d.confirmProgress(ctx); !same || err != nil {
			return 0, err
		}
	}
	trimmed, err := d.trim(ctx)
	if d.last > before {
		d.consumer.c.OnFlush(d.id, d.last) // after the trim: a stream that has ended may be finished at once
	}
	if err != nil {
		return 0, err
	}
	return d.nextLook(seen == d.elements, trimmed > 0 || d.last > before), nil
}

// takeSlot waits until an adopted stream may be worked on: only so many are at a
// time. release ends that.
func (d *drain) takeSlot(ctx context.Context) (release func(), err error) {
	if !d.adopted {
		return func() {}, nil
	}
	select {
	case d.consumer.slots <- struct{}{}:
		return func() { <-d.consumer.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// confirmProgress reads the progress again when there are elements and none is of
// use: it may be less than is believed, if MySQL was restored to an earlier state.
// It reports whether it is the same.
func (d *drain) confirmProgress(ctx context.Context) (same bool, err error) {
	believed := d.last
	d.known = false
	err = d.readProgress(ctx)
	return d.known && d.last == believed, err
}

// nextLook returns how long to wait before the next look, after one that filled the
// peek or not, and was fruitful or not.
func (d *drain) nextLook(full, fruitful bool) time.Duration {
	d.resize(full)
	if !fruitful {
		return d.fruitless.Next()
	}
	d.fruitless.Reset()
	if full {
		return 0
	}
	return flushEvery
}

// look reads the first elements of the list into the peek and returns how many there are.
func (d *drain) look(ctx context.Context) (seen int64, err error) {
	k := d.consumer
	elements, err := k.c.Redis.Do(ctx, k.c.Redis.B().Lrange().Key(d.key).Start(0).Stop(d.elements-1).Build()).AsStrSlice()
	if err != nil {
		return 0, fmt.Errorf("look at list: %w", err)
	}
	if len(elements) == 0 {
		return 0, nil
	}
	d.seenAt = time.Now()
	failpoint.Reach(failpoint.CountLookDone)
	if err := d.peek.read(d.id, elements); err != nil {
		k.damaged.Inc()
		d.log.Error("the list holds something that is not a frame of its stream; what is missing comes again", "err", err)
	}
	return int64(len(elements)), nil
}

// whenEmpty returns how long to wait when the list is empty, or errReleased when an
// adopted stream has been empty for so long that nobody is thought to need it.
func (d *drain) whenEmpty() (idle time.Duration, err error) {
	if d.adopted && time.Since(d.seenAt) > releaseAfter {
		return 0, errReleased
	}
	d.fruitless.Reset()
	return flushEvery, nil
}

// trim takes the elements off the front of the list that hold nothing beyond the
// progress, and returns how many. It is by count: if another flusher has trimmed
// meanwhile, too much goes, and comes again.
func (d *drain) trim(ctx context.Context) (elements int, err error) {
	elements = d.peek.covered(d.last)
	if elements == 0 {
		return 0, nil
	}
	redis := d.consumer.c.Redis
	failpoint.Reach(failpoint.CountTrimBefore)
	err = redis.Do(ctx, redis.B().Ltrim().Key(d.key).Start(int64(elements)).Stop(-1).Build()).Error()
	failpoint.Reach(failpoint.CountTrimDone)
	if err != nil {
		return 0, fmt.Errorf("trim list: %w", err)
	}
	return elements, nil
}

// readProgress reads the progress, if it is not known.
func (d *drain) readProgress(ctx context.Context) error {
	if d.known {
		return nil
	}
	last, known, err := d.consumer.c.Ledger.Progress(ctx, d.id)
	if err != nil {
		return fmt.Errorf("read progress: %w", err)
	}
	d.last, d.known = last, known
	return nil
}

// flush commits what follows without a hole, in as many transactions as it takes.
func (d *drain) flush(ctx context.Context) error {
	for {
		if err := d.peek.batch(&d.batch, d.last, batchEvents); err != nil {
			d.log.Error("events cannot be decoded and are declared lost", "err", err)
		}
		if d.batch.Last == d.last {
			return nil
		}
		last, err := d.consumer.c.Sink.Flush(ctx, &d.batch)
		if err == nil && last <= d.last {
			err = fmt.Errorf("progress went from %d to %d", d.last, last)
		}
		if err != nil {
			return d.resolveFlush(ctx, fmt.Errorf("flush: %w", err))
		}
		d.last = last
	}
}

// resolveFlush finds out what became of a flush that returned an error, cause. If the
// stream moved it is no error: it was this flush, or another flusher's.
func (d *drain) resolveFlush(ctx context.Context, cause error) error {
	before := d.last
	d.known = false
	if err := d.readProgress(ctx); err != nil {
		return errors.Join(cause, err)
	}
	switch {
	case d.known && d.last > before:
		if d.adopted && d.last != d.batch.Last {
			return errReleased
		}
		return nil
	case d.known && d.last < before:
		return nil // MySQL went back; the shipper will send it again
	}
	return cause
}

// resize keeps a look at about peekBytes, however large the elements are.
func (d *drain) resize(full bool) {
	switch size := len(d.peek.bytes); {
	case size > 2*peekBytes:
		d.elements = max(d.elements/2, peekLeast)
	case full && size < peekBytes/2:
		d.elements = min(2*d.elements, peekMost)
	}
}
