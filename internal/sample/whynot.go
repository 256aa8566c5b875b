package sample

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	// defaultPerSecond is how many polls a second are evaluated; fewer where there are so many
	// popups that it would be more than maxEvaluations of them a second.
	defaultPerSecond = 50
	maxEvaluations   = 40_000

	maxWaiting      = 64 // polls that wait to be evaluated
	evaluationShare = 20 // of the time that one processor has, evaluating takes at most one in so many
)

// WhyNotStore keeps the counts of all servers.
type WhyNotStore interface {
	// AddWhyNot adds counts to what is there, all of them or none: at most maxRows, each of
	// another popup, hour or reason. It blocks until the store answers or ctx ends.
	AddWhyNot(ctx context.Context, counts []popup.WhyNot) error
	// WhyNot returns what was added for a popup in the hours that begin in [fromMS, toMS),
	// summed over them, by reason.
	WhyNot(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.WhyNot, error)
}

// WhyNotConfig is what a [WhyNot] is made of.
type WhyNotConfig struct {
	Store     WhyNotStore
	Snapshots *snapshot.Store
	Zone      *time.Location // whose hours are counted by; nil: UTC
	PerSecond int64          // polls that are evaluated a second, at most; 0: defaultPerSecond
	Log       *slog.Logger   // nil: nothing is logged
}

// WhyNot counts, for each popup, why it was not shown, from a sample of the polls. The zero
// value counts nothing. Its methods may be called from any goroutine.
type WhyNot struct {
	config WhyNotConfig

	// chance is that of a poll to be evaluated, of 2^64-1: all bits below some are set. It
	// is halved when many are taken in a second and doubled after one with few.
	chance  atomic.Uint64
	taken   atomic.Int64 // in this second
	allowed atomic.Int64 // a second

	waiting chan *pickedPoll
	free    chan *pickedPoll

	counts counts
	round  round // of Run

	latest, detached *snapshot.Snapshot // of Run: polls are evaluated after they were decided
}

// pickedPoll is a poll to be evaluated, as it was before it was decided.
type pickedPoll struct {
	snap    *snapshot.Snapshot
	users   *frequency.Table // with what is known of the user
	request popup.Request
	text    []byte // what the request refers to
	atMS    int64
	weight  uint64 // how many polls it stands for
}

// NewWhyNot returns a counter that has counted nothing.
func NewWhyNot(c WhyNotConfig) *WhyNot {
	w := &WhyNot{
		config: c, waiting: make(chan *pickedPoll, maxWaiting), free: make(chan *pickedPoll, maxWaiting),
	}
	w.config.Zone = cmp.Or(w.config.Zone, time.UTC)
	w.config.Log = cmp.Or(w.config.Log, slog.New(slog.DiscardHandler))
	for range maxWaiting {
		w.free <- new(pickedPoll)
	}
	w.config.PerSecond = cmp.Or(c.PerSecond, defaultPerSecond)
	w.allowed.Store(w.config.PerSecond)
	w.chance.Store(math.MaxUint64)
	return w
}

// Draw is a source of random numbers of one goroutine, which must not be 0 (xorshift64).
type Draw uint64

// Picks reports whether a poll is to be given to Take: the chance that it had, 0 if it is not.
func (w *WhyNot) Picks(d *Draw) (chance uint64) {
	x := uint64(*d)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*d = Draw(x)
	if chance = w.chance.Load(); x <= chance {
		return chance
	}
	return 0
}

// Take copies a poll that Picks has picked, with what is known of its user. It must be
// called before the poll is decided, which changes that.
func (w *WhyNot) Take(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64, chance uint64) {
	if w.taken.Add(1)%w.allowed.Load() == 0 {
		w.chance.CompareAndSwap(chance, chance>>1)
	}
	select {
	case p := <-w.free:
		p.snap, p.atMS, p.weight = snap, nowMS, 1<<bits.LeadingZeros64(chance)
		p.users = users.Copy(p.users, r.User, r.PriorUser, nowMS)
		p.copy(r)
		w.waiting <- p // has room for all
	default: // so many wait that this one is left out
	}
}

// copy copies a request.
func (p *pickedPoll) copy(r *popup.Request) {
	p.text = p.text[:0]
	to := func(from []byte) []byte {
		start := len(p.text)
		p.text = append(p.text, from...) // what is in it stays where it is if it has to grow
		return p.text[start:]
	}
	c := &p.request
	placements, attrs := c.Placements[:0], c.Attrs[:0]
	*c = popup.Request{User: to(r.User)}
	if r.PriorUser != nil {
		c.PriorUser = to(r.PriorUser)
	}
	copies := texts(c)
	for i, from := range texts(r) {
		*copies[i] = to(*from)
	}
	for _, name := range r.Placements {
		placements = append(placements, to(name))
	}
	for _, a := range r.Attrs {
		attrs = append(attrs, popup.Attr{Name: to(a.Name), Value: to(a.Value)})
	}
	c.Placements, c.Attrs = placements, attrs
}

// Run evaluates polls and writes what it counts until ctx ends. What was counted and not
// written yet is lost if the process dies, see [round].
func (w *WhyNot) Run(ctx context.Context) error {
	second, write := time.NewTicker(time.Second), time.NewTicker(writeEvery)
	defer second.Stop()
	defer write.Stop()
	outage := retry.Outage{Log: w.config.Log, Begins: "why popups were not shown can't be written"}
	for {
		select {
		case <-ctx.Done():
			for len(w.waiting) > 0 {
				w.evaluate(<-w.waiting)
			}
			outage.Report(w.writeAll(context.WithoutCancel(ctx)))
			return nil
		case p := <-w.waiting:
			start := time.Now()
			w.evaluate(p)
			_ = retry.Pause(ctx, (evaluationShare-1)*time.Since(start)) // the end of ctx is seen above
		case <-second.C:
			w.adapt()
		case <-write.C:
			outage.Report(w.writeSome(context.WithoutCancel(ctx))) // broken off, it would be written twice
		}
	}
}

// adapt is called once a second.
func (w *WhyNot) adapt() {
	popups := int64(w.config.Snapshots.Current().Len())
	allowed := min(max(maxEvaluations/max(popups, 1), 1), w.config.PerSecond)
	w.allowed.Store(allowed)
	if w.taken.Swap(0)*2 < allowed {
		w.chance.Store(w.chance.Load()<<1 | 1)
	}
}

// evaluate counts what stopped each popup in one poll.
func (w *WhyNot) evaluate(p *pickedPoll) {
	defer func() { w.free <- p }() // after a panic too
	hourMS, _ := popup.HourOf(p.atMS, w.config.Zone)
	if p.snap != w.latest {
		w.latest, w.detached = p.snap, p.snap.Detached()
	}
	w.counts.mu.Lock()
	defer w.counts.mu.Unlock()
	decision.Reasons(w.detached, p.users, &p.request, p.atMS, func(x *snapshot.Popup, reason popup.Reason) {
		w.counts.addLocked(countOf{x.ID, reason, hourMS}, count{p.weight, 1})
	})
	p.snap = nil
}

// WhyNot returns what stopped a popup in the hours that begin in [fromMS, toMS): what all
// servers have written, and what this one is yet to write.
func (w *WhyNot) WhyNot(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.WhyNot, error) {
	rows, err := w.config.Store.WhyNot(ctx, id, fromMS, toMS)
	if err != nil {
		return nil, err
	}
	return w.counts.appendUnwritten(rows, id, fromMS, toMS), nil
}
