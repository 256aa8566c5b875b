package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// shipment is one stream on its way. It knows only what it can find out again:
// a new one, after a restart, does the same from the beginning.
type shipment struct {
	shipper *Shipper
	stream  *journal.Stream
	id      popup.StreamID
	key     string // of the list
	channel string
	log     *slog.Logger

	wake      chan struct{} // cap 1
	hint      atomic.Uint64 // see Shipper.Acked
	committed atomic.Uint64 // MySQL has committed up to here; written by run
	refused   atomic.Bool   // Redis did not take the last command; written by run

	// The rest is run's.
	registered    bool
	sealed        bool          // the stream was seen to be sealed
	blind         retry.Backoff // between checks that MySQL does not answer
	blindness     *retry.Party
	sent          uint64 // pushed up to here, as far as is known
	published     uint64 // told other servers up to here
	inFlight      []listElement
	inFlightBytes int64
	reader        *journal.Reader // at sent+1; nil: to be made
	buf           []byte          // of what is pushed

	checkAt    time.Time
	stalled    time.Time     // since when there was no progress; zero: not known
	stallLimit time.Duration // resend when it has lasted this long
}

// listElement is pushed and not committed, or about to be pushed.
type listElement struct {
	last  uint64 // seq
	bytes int
}

func newShipment(s *Shipper, stream *journal.Stream) *shipment {
	id := stream.ID()
	log := s.c.Log.With("stream", id.String())
	return &shipment{
		shipper: s, stream: stream, id: id,
		key:        listKey(s.c.Prefix, id.String()),
		channel:    eventsChannel(s.c.Prefix),
		log:        log,
		wake:       make(chan struct{}, 1),
		stallLimit: s.pace.stall,
		blind:      retry.Backoff{First: s.pace.check, Most: retryAtMost},
		blindness:  s.blindness.Party(log),
	}
}

// errFinished says that the stream is committed and removed.
var errFinished = errors.New("finished")

// run ships the stream until ctx ends or the stream is finished.
func (p *shipment) run(ctx context.Context) {
	pause := newBackoff()
	outage := p.shipper.outage.Party(p.log)
	defer outage.Leave()
	defer p.blindness.Leave()
	for ctx.Err() == nil {
		err := retry.Guard(func() error { return p.step(ctx) })
		if ctx.Err() != nil || errors.Is(err, errFinished) {
			return
		}
		outage.Report(err)
		if err != nil {
			if errors.Is(err, retry.ErrPanic) {
				p.registered = false // begin again
			}
			_ = retry.Pause(ctx, pause.Next()) // ctx is looked at above
			continue
		}
		pause.Reset()
		_ = retry.Wait(ctx, max(0, time.Until(p.checkAt)), p.wake) // the same
	}
}

// step does all that can be done now.
func (p *shipment) step(ctx context.Context) error {
	if !p.registered {
		if err := p.register(ctx); err != nil || !p.registered {
			return err
		}
	}
	if !p.sealed && p.stream.Sealed() {
		p.sealed = true
		p.checkAt = time.Now()
	}
	p.ack(p.hint.Swap(0))
	if !time.Now().Before(p.checkAt) {
		if err := p.check(ctx); err != nil {
			return err
		}
	}
	for {
		room := p.shipper.window(p.sealed) - p.inFlightBytes
		if room <= 0 {
			break
		}
		more, err := p.push(ctx, int(min(room/elementBytes+1, pipelineMax)))
		if err != nil {
			p.checkAt = time.Now() // what Redis has is doubtful
			return err
		}
		if !more {
			break
		}
		p.ack(p.hint.Swap(0))
	}
	return nil
}

// register makes the stream known to MySQL, once it has events, and finds out
// where to begin. A stream that ended without any is given up.
func (p *shipment) register(ctx context.Context) error {
	p.checkAt = time.Now().Add(p.shipper.pace.check)
	sealed := p.stream.Sealed() // first: it may get events until then
	switch {
	case p.stream.Last() > 0:
		return p.restart(ctx)
	case sealed:
		return p.removeEmpty(ctx)
	}
	return nil
}

// restart begins again after what MySQL has committed.
func (p *shipment) restart(ctx context.Context) error {
	// First before last: it follows what is committed, so it may grow in between.
	first := p.stream.First()
	last, err := p.shipper.c.Ledger.Register(ctx, p.id, first)
	if err != nil {
		return fmt.Errorf("register stream: %w", err)
	}
	failpoint.Reach(failpoint.ShipRegisterDone)
	if last+1 < first {
		p.log.Error("MySQL has committed less than it had and the journal no longer has the rest: it is declared lost",
			"first", last+1, "last", first-1)
	}
	p.registered = true
	p.sent, p.reader = last, nil
	p.inFlight, p.inFlightBytes = nil, 0
	p.hint.Store(0)
	p.advanceAck(last)
	return nil
}

// advanceAck records what MySQL says is committed, which may be less than it was.
func (p *shipment) advanceAck(last uint64) {
	p.committed.Store(last)
	p.stream.Ack(last)
	if last > p.sent { // another pushed it, or an RPUSH that timed out did arrive
		p.sent, p.reader = last, nil
	}
	n := 0
	for n < len(p.inFlight) && p.inFlight[n].last <= last {
		p.inFlightBytes -= int64(p.inFlight[n].bytes)
		n++
	}
	if p.inFlight = p.inFlight[n:]; len(p.inFlight) == 0 {
		p.inFlight = nil // gives the memory back
	}
}

// ack is advanceAck for a hint, which may be older than what is known.
func (p *shipment) ack(last uint64) {
	if last <= p.committed.Load() {
		return
	}
	p.moved()
	p.advanceAck(last)
	if p.sealed && last >= p.stream.Last() {
		p.checkAt = time.Now() // to finish it
	}
}

func (p *shipment) moved() { p.stalled, p.stallLimit = time.Time{}, p.shipper.pace.stall }

// check finds out whether Redis still has what is not committed, and sends it again
// if not; it also ends the stream. It reads the head of the list first: what was
// trimmed from it by then is part of the progress that is read later.
func (p *shipment) check(ctx context.Context) error {
	c := &p.shipper.c
	head, err := c.Redis.Do(ctx, c.Redis.B().Lrange().Key(p.key).Start(0).Stop(0).Build()).AsStrSlice()
	if isWrongType(err) {
		return p.resend(ctx, "the key is not a list")
	}
	p.refused.Store(err != nil)
	if err != nil {
		return fmt.Errorf("read head of list: %w", err)
	}
	last, known, err := c.Ledger.Progress(ctx, p.id)
	if err != nil {
		// Shipping goes on as far as the window allows.
		p.blindness.Report(err)
		p.stalled = time.Time{}
		p.checkAt = time.Now().Add(p.blind.Next())
		return nil
	}
	p.blindness.Report(nil)
	p.blind.Reset()
	if !known {
		return p.resend(ctx, "MySQL does not know the stream any more")
	}
	if last != p.committed.Load() {
		p.moved()
		p.advanceAck(last)
	}
	if p.sealed && last >= p.stream.Last() && (len(head) == 0 || p.stallsFor() >= p.shipper.pace.stall) {
		return p.finish(ctx)
	}
	p.checkAt = time.Now().Add(p.shipper.pace.check)
	if last >= p.sent {
		if !p.sealed {
			p.checkAt = time.Now().Add(p.shipper.pace.idle)
			p.stalled = time.Time{}
		}
		return nil
	}
	switch why := p.missing(head, last); {
	case why != "":
		return p.resend(ctx, why)
	case p.stallsFor() >= p.stallLimit:
		p.stalled, p.stallLimit = time.Time{}, min(2*p.stallLimit, stallAtMost)
		return p.resend(ctx, "there is no progress")
	}
	return nil
}

// stallsFor returns how long there was no progress although there was something
// to commit.
func (p *shipment) stallsFor() time.Duration {
	if p.stalled.IsZero() {
		p.stalled = time.Now()
	}
	return time.Since(p.stalled)
}

// missing says what is wrong with the head of a list that should hold event
// last+1, or "".
func (p *shipment) missing(head []string, last uint64) string {
	if len(head) == 0 {
		return "the list is empty"
	}
	f, _, err := journal.ParseFrame([]byte(head[0]))
	switch {
	case errors.Is(err, journal.ErrFrameVersion):
		return "" // it waits for a newer flusher
	case err != nil || f.Stream != p.id:
		return "the list begins with something else"
	case f.First > last+1:
		return "the list begins too late"
	}
	return ""
}

// resend empties the list and begins again after what MySQL has committed.
func (p *shipment) resend(ctx context.Context, why string) error {
	p.log.Warn("sending the stream again", "why", why, "committed", p.committed.Load(), "sent", p.sent)
	if err := p.deleteList(ctx); err != nil {
		return err
	}
	p.shipper.metrics.resends.Inc()
	p.checkAt = time.Now().Add(p.shipper.pace.check)
	return p.restart(ctx)
}

func (p *shipment) deleteList(ctx context.Context) error {
	c := &p.shipper.c
	err := c.Redis.Do(ctx, c.Redis.B().Del().Key(p.key).Build()).Error()
	p.refused.Store(err != nil)
	if err != nil {
		return fmt.Errorf("delete list: %w", err)
	}
	return nil
}

// finish removes a sealed stream that is committed. closed is a hint, so a crash
// between these steps does no harm: the next start finishes it again.
func (p *shipment) finish(ctx context.Context) error {
	if err := p.shipper.c.Ledger.CloseStream(ctx, p.id); err != nil {
		return fmt.Errorf("close stream: %w", err)
	}
	failpoint.Reach(failpoint.ShipCloseDone)
	if err := p.deleteList(ctx); err != nil {
		return err
	}
	return p.remove()
}

// removeEmpty removes a sealed stream without events. MySQL may know it all the
// same: the machine may have stopped before its disk had what was shipped.
func (p *shipment) removeEmpty(ctx context.Context) error {
	_, known, err := p.shipper.c.Ledger.Progress(ctx, p.id)
	switch {
	case err != nil:
		return fmt.Errorf("read progress of an empty stream: %w", err)
	case known:
		return p.finish(ctx)
	}
	return p.remove()
}

func (p *shipment) remove() error {
	if err := p.stream.Remove(); err != nil {
		return err
	}
	p.log.Info("the stream has ended and is committed", "events", p.stream.Last())
	return errFinished
}
