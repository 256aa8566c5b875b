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

// drain counts one stream. It holds nothing that it cannot find out again, and
// what it believes of the progress is put to the proof by every flush.
type drain struct {
	consumer *Consumer
	id       popup.StreamID
	key      string
	log      *slog.Logger
	adopted  bool   // not ours: let go of when another moves it or nothing comes
	stop     func() // ends run

	// The rest is run's.
	known    bool   // last is the progress, or was when we last moved it
	last     uint64 // counted up to here
	elements int64  // to look at at once
	peek     peek
	batch    popup.Batch
	useless  retry.Backoff // between looks at a list that holds nothing to count yet
	seenAt   time.Time     // when there were elements; zero: never
}

func newDrain(k *Consumer, id popup.StreamID, adopted bool, stop func()) *drain {
	return &drain{
		consumer: k, id: id, adopted: adopted, stop: stop,
		key:      listKey(k.c.Prefix, id.String()),
		log:      k.c.Log.With("stream", id.String()),
		elements: peekLeast,
		useless:  retry.Backoff{First: flushEvery, Most: uselessMost},
	}
}

// errLetGo says that an adopted stream is another's, or nobody's need.
var errLetGo = errors.New("let go")

// run counts the stream until ctx ends or an adopted stream is let go of.
func (d *drain) run(ctx context.Context) {
	pause := newBackoff()
	outage := retry.Outage{Log: d.log, Begins: "counting is interrupted", Ends: "counting goes on", EachCause: true}
	for ctx.Err() == nil {
		var idle time.Duration
		err := retry.Guard(func() (err error) { idle, err = d.step(ctx); return err })
		if ctx.Err() != nil || errors.Is(err, errLetGo) {
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

// step looks at the list once and counts what it can. It returns how long to wait
// before the next look.
func (d *drain) step(ctx context.Context) (idle time.Duration, err error) {
	k := d.consumer
	if d.adopted {
		select {
		case k.slots <- struct{}{}:
			defer func() { <-k.slots }()
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	elements, err := k.c.Redis.Do(ctx, k.c.Redis.B().Lrange().Key(d.key).Start(0).Stop(d.elements-1).Build()).AsStrSlice()
	if err != nil {
		return 0, fmt.Errorf("look at list: %w", err)
	}
	if len(elements) == 0 {
		if d.adopted && time.Since(d.seenAt) > letGoAfter {
			return 0, errLetGo
		}
		d.useless.Reset()
		return flushEvery, nil
	}
	d.seenAt = time.Now()
	failpoint.Reach(failpoint.CountLookDone)
	if err := d.peek.read(d.id, elements); err != nil {
		k.damaged.Inc()
		d.log.Error("the list holds something that is not a frame of its stream; what is missing comes again", "err", err)
	}
	fresh := !d.known
	if err := d.learn(ctx); err != nil {
		return 0, err
	}
	if !d.known {
		return uselessMost, nil // not registered: not ours to say where it stands
	}
	before := d.last
	if err := d.flush(ctx); err != nil {
		return 0, err
	}
	if d.last == before && !fresh {
		// There are elements and none is of use, so the progress may be less than
		// we believe: MySQL may have been restored to an earlier state.
		d.known = false
		if err := d.learn(ctx); err != nil || !d.known || d.last != before {
			return 0, err
		}
	}
	trim := d.peek.covered(d.last)
	if trim > 0 {
		failpoint.Reach(failpoint.CountTrimBefore)
		// By count: if another has trimmed meanwhile, too much goes, and comes again.
		err = k.c.Redis.Do(ctx, k.c.Redis.B().Ltrim().Key(d.key).Start(int64(trim)).Stop(-1).Build()).Error()
		failpoint.Reach(failpoint.CountTrimDone)
	}
	if d.last > before {
		k.c.OnFlush(d.id, d.last) // after the trim: a stream that has ended may be finished at once
	}
	if err != nil {
		return 0, fmt.Errorf("trim list: %w", err)
	}
	full := int64(len(elements)) == d.elements
	d.resize(full)
	switch {
	case trim == 0 && d.last == before:
		return d.useless.Next(), nil
	case full:
		d.useless.Reset()
		return 0, nil
	}
	d.useless.Reset()
	return flushEvery, nil
}

// learn reads the progress, if it is not known.
func (d *drain) learn(ctx context.Context) error {
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

// flush counts what follows without a hole, in as many transactions as it takes.
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
			return d.settle(ctx, fmt.Errorf("flush: %w", err))
		}
		d.last = last
	}
}

// settle finds out what became of a flush that returned an error, cause. If the
// stream moved it is no error: it was this flush, or another flusher's.
func (d *drain) settle(ctx context.Context, cause error) error {
	before := d.last
	d.known = false
	if err := d.learn(ctx); err != nil {
		return errors.Join(cause, err)
	}
	switch {
	case d.known && d.last > before:
		if d.adopted && d.last != d.batch.Last {
			return errLetGo
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
