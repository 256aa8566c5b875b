package userstate

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

const (
	// LookUpWait is how long a request waits until its user is held.
	LookUpWait = 100 * time.Millisecond

	// LookUpQueries is how often RunLookUps is to run, at once: so many queries there are at most.
	LookUpQueries = 4
	maxLookUps    = 4096 // that wait

	// What the store answers later is taken all the same, for the user's next poll: a
	// request does not wait for it.
	lookUpTimeout = 2 * time.Second
	// lookUpLife is how old what was read may be when its user is held. It is much less than
	// frequency.EpochLength: nothing of the user is forgotten meanwhile.
	lookUpLife = 5 * time.Second

	lookUpPause = time.Second // after the store did not answer: nobody waits for it until then
)

var (
	errAway      = errors.New("the database is away")
	errManyWait  = errors.New("too many users wait to be looked up")
	errNotHeld   = errors.New("what was read is of no use any more")
	errStateFull = errors.New("the users' state is full")
)

// lookUps ask the store what users have seen whom this server does not hold. Users who come
// together are asked for together.
type lookUps struct {
	waiting  chan *lookUp
	pausedTo atomic.Int64 // ns since started; 0: not at all
	started  time.Time
	outage   retry.Outage

	seconds prometheus.Observer
	results map[string]prometheus.Counter // by result, see lookUpResults
}

// lookUp is some users, at most persist.MaxLookUp, who are looked up together.
type lookUp struct {
	users [][]byte
	err   error         // set before done is closed
	done  chan struct{} // closed once all are held, or it failed
}

// What becomes of a request for users, as counted.
const (
	lookUpHeld     = "held"
	lookUpLate     = "late"     // nobody waited any more, or not for long enough
	lookUpRejected = "rejected" // too many wait, or the database did not answer lately
	lookUpFailed   = "failed"
	lookUpFull     = "full"
)

func newLookUps(log *slog.Logger, r prometheus.Registerer) *lookUps {
	counted := promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_lookups_total", Help: "Requests of users whom this server did not hold, by what became of looking them up, with -state-scope hashed.",
	}, []string{"result"})
	l := &lookUps{
		waiting: make(chan *lookUp, maxLookUps), started: time.Now(), results: make(map[string]prometheus.Counter),
		outage: retry.Outage{Log: log, Begins: "users cannot be looked up: polls of those who are not held get 204", Ends: "users can be looked up again"},
		seconds: promauto.With(r).NewHistogram(prometheus.HistogramOpts{
			Name: "popupd_lookup_duration_seconds", Help: "Time that the database took to answer a query for up to 256 users.",
			Buckets: []float64{0.5e-3, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5},
		}),
	}
	for _, result := range []string{lookUpHeld, lookUpLate, lookUpRejected, lookUpFailed, lookUpFull} {
		l.results[result] = counted.WithLabelValues(result)
	}
	return l
}

// ask has users looked up, copies of them, since a request's bytes end with it.
func (l *lookUps) ask(users [][]byte) (*lookUp, error) {
	if time.Since(l.started) < time.Duration(l.pausedTo.Load()) {
		l.results[lookUpRejected].Inc()
		return nil, errAway
	}
	q := &lookUp{users: make([][]byte, len(users)), done: make(chan struct{})}
	for i, user := range users {
		q.users[i] = slices.Clone(user)
	}
	select {
	case l.waiting <- q:
		return q, nil
	default:
		l.results[lookUpRejected].Inc()
		return nil, errManyWait
	}
}

// await waits until all users of a request are held.
func (l *lookUps) await(ctx context.Context, q *lookUp) error {
	select {
	case <-q.done:
	case <-ctx.Done():
		l.results[lookUpLate].Inc()
		return ctx.Err()
	}
	switch {
	case q.err == nil:
		l.results[lookUpHeld].Inc()
	case errors.Is(q.err, errStateFull):
		l.results[lookUpFull].Inc()
	case errors.Is(q.err, errNotHeld):
		l.results[lookUpLate].Inc()
	default:
		l.results[lookUpFailed].Inc()
	}
	return q.err
}

// LookUp waits until these users are held, for [LookUpWait] at most, and reports whether they
// are. It fails at once while the database does not answer, or where too many wait.
func (s *State) LookUp(users ...[]byte) bool {
	ctx, cancel := context.WithTimeout(context.Background(), LookUpWait)
	defer cancel()
	return s.LookUpWithin(ctx, users...) == nil
}

// LookUpWithin waits until these users are held. A nil user is none.
func (s *State) LookUpWithin(ctx context.Context, users ...[]byte) error {
	if !s.heldOnly {
		return nil
	}
	unheld := make([][]byte, 0, len(users))
	for _, user := range users {
		if user != nil && !s.table.Holds(user, nil) {
			unheld = append(unheld, user)
		}
	}
	var asked []*lookUp
	for some := range slices.Chunk(unheld, persist.MaxLookUp) {
		q, err := s.lookUps.ask(some)
		if err != nil {
			return err
		}
		asked = append(asked, q)
	}
	for _, q := range asked {
		if err := s.lookUps.await(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// RunLookUps looks users up until ctx ends, one query after the other. A query is for all who
// have come while the one before was under way.
func (s *State) RunLookUps(ctx context.Context) error {
	if !s.heldOnly {
		return nil
	}
	var batch []*lookUp
	for {
		select {
		case <-ctx.Done():
			return nil
		case q := <-s.lookUps.waiting:
			batch = append(batch[:0], q)
		}
		users := len(batch[0].users)
	more:
		for users < persist.MaxLookUp {
			select {
			case q := <-s.lookUps.waiting:
				batch = append(batch, q)
				users += len(q.users)
			default:
				break more
			}
		}
		s.answer(ctx, batch)
	}
}

// answer looks up the users of a batch, and tells those who wait.
func (s *State) answer(ctx context.Context, batch []*lookUp) {
	defer func() {
		for _, q := range batch {
			close(q.done)
		}
		clear(batch)
	}()
	for _, q := range batch {
		q.err = errNotHeld // should this panic
	}
	var users [][]byte
	for _, q := range batch {
		users = append(users, q.users...)
	}
	full := make(map[string]bool)
	for some := range slices.Chunk(users, persist.MaxLookUp) {
		if err := s.hold(ctx, some, full); err != nil {
			for _, q := range batch {
				q.err = err
			}
			return
		}
	}
	for _, q := range batch {
		q.err = nil
		for _, user := range q.users {
			switch {
			case full[string(user)]:
				q.err = errStateFull
			case !s.table.Holds(user, nil):
				q.err = errNotHeld
			}
		}
	}
}

// hold merges what the store knows of users, who are held then, but for those for whom there is
// no memory: it adds them to full.
func (s *State) hold(running context.Context, users [][]byte, full map[string]bool) error {
	ctx, cancel := context.WithTimeout(running, lookUpTimeout)
	defer cancel()
	start, era, now, since := time.Now(), s.table.Era(), s.now(), int64(0)
	if longest := s.capMS(); longest > 0 {
		since = now - longest
	}
	fits := make([][]byte, 0, len(users))
	for _, user := range users {
		if s.table.LookingUp(user) {
			fits = append(fits, user)
		} else {
			full[string(user)] = true
		}
	}
	if len(fits) == 0 {
		return nil
	}
	err := s.db.LookUp(ctx, fits, since, func(user []byte, id uint32, st popup.State) {
		if !s.table.LookedUp(user, id, st) {
			full[string(user)] = true
		}
	}, func(user []byte, id uint32, servedAtMS int64, acted uint8) {
		if !s.table.LookedUpImpression(user, id, servedAtMS, acted) {
			full[string(user)] = true
		}
	})
	took := time.Since(start)
	if running.Err() == nil {
		s.lookUps.outage.Report(err)
	}
	switch {
	case err != nil:
		s.lookUps.pausedTo.Store(int64(time.Since(s.lookUps.started) + lookUpPause))
		return err
	case took > lookUpLife:
		return errNotHeld
	}
	s.lookUps.seconds.Observe(took.Seconds())
	for _, user := range fits {
		if !full[string(user)] {
			s.table.Hold(user, era)
		}
	}
	return nil
}
