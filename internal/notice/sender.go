package notice

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/popup"
)

// Outbox keeps notices until they are delivered, for all servers. Each call is one
// transaction, and blocks until the store answers or ctx ends; then the outcome is not known.
type Outbox interface {
	// AddNotice keeps a notice, unless one of its subject is kept.
	AddNotice(ctx context.Context, n popup.Notice) error
	// ClaimNotice takes the notice that is due for longest, for this server alone until life
	// is over. It reports false if none is due.
	ClaimNotice(ctx context.Context, life time.Duration) (n popup.ClaimedNotice, ok bool, err error)
	// NoticeSent notes what an attempt came to, unless another server has claimed the notice.
	NoticeSent(ctx context.Context, n popup.ClaimedNotice, a popup.Attempt) error
	// TrimOutbox deletes what was settled longer ago than keep, and the oldest of more than
	// most that are still to be sent. It returns how many are left of these.
	TrimOutbox(ctx context.Context, keep time.Duration, most int) (dropped, pending int, err error)
}

// Config is what a [Sender] is made of.
type Config struct {
	URL        *url.URL // nil: nothing is sent, and no store is asked
	Secrets    []Secret // at least one
	Outbox     Outbox
	UserAgent  string
	Now        func() int64          // ms since the epoch, UTC
	Log        *slog.Logger          // nil: nothing is logged
	Registerer prometheus.Registerer // nil: metrics are not registered
	Tracer     *tracing.Tracer       // of attempts; nil: none
}

const (
	lookEvery  = time.Second     // for notices that are due
	claimLife  = time.Minute     // longer than an attempt and noting it take
	askFor     = 3 * time.Second // how long the outbox may take
	trimEvery  = time.Minute
	keepFor    = 7 * 24 * time.Hour // settled notices, also so that nobody keeps their subject again
	maxPending = 10_000
	maxPause   = time.Hour // of all notices, as a receiver may ask for
)

// Sender sends notices to one receiver, one at a time.
type Sender struct {
	config  Config
	client  *http.Client
	metrics metrics
	store   retry.Outage // of the outbox

	mu     sync.Mutex
	direct []popup.Notice // guarded by mu: those that the outbox could not keep, oldest first

	// Of Run.
	receiver retry.Outage
	pause    retry.Backoff // after attempts that failed
	trimAt   time.Time
	stopped  bool
	skipping bool // the last notice was too old to be sent: of many such, one is logged
}

// NewSender returns a sender that does nothing before [Sender.Run].
func NewSender(c Config) *Sender {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sender{
		config: c, client: newClient(), metrics: newMetrics(c.Registerer), pause: retry.Backoff{First: time.Second, Most: time.Minute},
		store: retry.Outage{Log: c.Log, Begins: "the store does not say what the webhook is to be told", Ends: "the store says again what the webhook is to be told"},
	}
	if c.URL != nil {
		log := c.Log.With("receiver", c.URL.Scheme+"://"+c.URL.Host) // the rest of it may be a secret
		s.receiver = retry.Outage{Log: log, Begins: "the webhook can't be delivered, and is tried again", Ends: "webhooks are delivered again"}
		s.config.Log = log
	}
	return s
}

// Enabled reports whether there is anybody to be told.
func (s *Sender) Enabled() bool { return s.config.URL != nil }

// Run sends what is in the outbox until ctx ends, and then returns nil.
func (s *Sender) Run(ctx context.Context) error {
	if !s.Enabled() {
		return nil
	}
	for {
		for wait := s.step(ctx); ; wait -= trimEvery {
			if retry.Pause(ctx, min(wait, trimEvery)) != nil {
				return nil
			}
			if wait <= trimEvery {
				break
			}
			s.trim(ctx) // a receiver may ask for an hour
		}
	}
}

// step makes one attempt, if a notice is due, and returns how long to wait for the next one.
func (s *Sender) step(ctx context.Context) time.Duration {
	if now := time.Now(); !now.Before(s.trimAt) {
		s.trimAt = now.Add(trimEvery)
		s.trim(ctx)
	}
	if s.stopped {
		return lookEvery
	}
	if n, ok := s.firstDirect(); ok {
		return s.sendDirect(ctx, n)
	}
	asking, cancel := context.WithTimeout(ctx, askFor)
	n, ok, err := s.config.Outbox.ClaimNotice(asking, claimLife)
	cancel()
	if ctx.Err() != nil {
		return lookEvery
	}
	s.store.Report(err)
	if err != nil || !ok {
		return lookEvery
	}
	return s.attempt(ctx, n)
}

// attempt sends a notice that this server has claimed.
func (s *Sender) attempt(ctx context.Context, n popup.ClaimedNotice) time.Duration {
	outcome, wait := popup.Attempt{Result: "too old", Settled: true}, time.Duration(0)
	delivered := false
	isFirst := !s.skipping
	if s.skipping = n.Age > maxAge; !s.skipping {
		a := s.post(ctx, n.Notice)
		delivered, outcome.Result = a.delivered(), a.String()
		isCut := !delivered && ctx.Err() != nil
		if !isCut {
			wait = s.report(a)
		}
		switch {
		case delivered:
		case isCut: // by the end of this server, which says nothing of the receiver
			outcome = popup.Attempt{Result: "the server that sent it was stopped", Again: schedule[0]}
		case a.status == http.StatusGone: // whoever is started with another URL may send it
			outcome.Settled, outcome.Again = false, schedule[0]
		default:
			again, more := again(n.Attempt, n.Age, a.retryAfter)
			outcome.Settled, outcome.Again = !more, again
		}
	}
	if outcome.Settled && !delivered {
		s.metrics.tooOld.Inc()
	}
	if outcome.Settled && !delivered && (isFirst || !s.skipping) {
		s.config.Log.Error("a webhook could not be delivered for three days and is given up",
			"webhook_id", n.ID, "subject", n.Subject, "attempts", n.Attempt, "result", outcome.Result)
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), askFor) // or it is sent again
	defer cancel()
	s.store.Report(s.config.Outbox.NoticeSent(noting, n, outcome))
	return wait
}

// report counts and logs an attempt, and returns how long this server waits before the next
// one with any notice.
func (s *Sender) report(a answer) time.Duration {
	s.metrics.count(a)
	switch {
	case a.delivered():
		s.receiver.Report(nil)
		s.pause.Reset()
		return 0
	case a.status == http.StatusGone:
		s.stopped = true
		s.metrics.stopped.Set(1)
		s.config.Log.Error("the receiver of webhooks answers 410 Gone: this server sends nothing more until it is started again")
		return lookEvery
	}
	s.receiver.Report(errAnswer{a})
	return max(s.pause.Next(), min(a.retryAfter, maxPause))
}

// errAnswer is an attempt that failed.
type errAnswer struct{ answer }

func (e errAnswer) Error() string { return e.String() }

func (s *Sender) trim(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*askFor)
	defer cancel()
	dropped, pending, err := s.config.Outbox.TrimOutbox(ctx, keepFor, maxPending)
	if dropped > 0 {
		s.metrics.tooMany.Add(float64(dropped))
		s.config.Log.Error("too many webhooks wait to be delivered: the oldest are dropped", "dropped", dropped)
	}
	if err == nil {
		s.metrics.pending.Set(float64(pending))
	}
}
