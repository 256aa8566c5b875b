package sample

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	// maxPolls bounds the polls of the sample that are decided, twice, and maxAhead those
	// that are decided for reach. Beyond them fewer users are taken.
	maxPolls = 30_000
	maxAhead = 200_000

	// A simulation works for at most workFor at a time and then pauses restShare times as
	// long, so that it takes a quarter of one processor.
	workFor   = 500 * time.Microsecond
	restShare = 3

	// maxSimulation is how long a simulation may take.
	maxSimulation = 20 * time.Second
)

// Simulate tries a proposal on the polls that are kept: what was shown, had things been as
// they are now, and as proposed. Both begin without memory of what the users saw before, and
// suppose that nobody clicks or dismisses. Reach looks ahead: the users poll on from now as
// they did in the sample. Nothing of what is in force is changed. It returns
// [popup.FieldErrors], [popup.ErrNoSample], [popup.ErrBusy], or ctx's error.
func (r *Reservoir) Simulate(ctx context.Context, p popup.Proposal) (popup.Simulation, error) {
	if r.perBucket == 0 {
		return popup.Simulation{}, popup.ErrNoSample
	}
	if !r.simulating.TryLock() {
		return popup.Simulation{}, popup.ErrBusy
	}
	defer r.simulating.Unlock()
	before := r.config.Snapshots.Current()
	after, err := propose(before, p)
	if err != nil {
		return popup.Simulation{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxSimulation, popup.ErrBusy)
	defer cancel()
	s := simulation{before: before, after: after, minGap: r.config.MinGap, proposal: p, trace: r.trace(), pacer: pacer{ctx: ctx, since: time.Now()}}
	return s.run(r.config.Now())
}

// propose compiles what is in force with what is proposed.
func propose(current *snapshot.Snapshot, p popup.Proposal) (*snapshot.Snapshot, error) {
	known, newest := map[string]*snapshot.Popup{}, uint32(0)
	for _, x := range current.All() {
		known[x.Key] = x
		newest = max(newest, x.ID)
	}
	change := popup.CatalogChange{Revision: current.Revision}
	place := map[uint32]int{}
	for i := range p.Popups {
		spec := &p.Popups[i]
		row := popup.Row{Version: 1, Key: spec.Key, Spec: spec.Encode(), Archived: spec.Status == popup.Archived}
		if x := known[spec.Key]; x != nil {
			row.ID, row.Version = x.ID, x.Version+1
		} else {
			newest++
			row.ID = newest
		}
		place[row.ID] = i
		change.Popups = append(change.Popups, row)
	}
	if p.Settings != nil {
		change.Settings = &popup.SettingsRow{Version: current.Settings().Version + 1, Spec: p.Settings.Encode()}
	}
	next, broken := snapshot.Apply(current, change)
	var errs popup.FieldErrors
	for _, b := range broken {
		at := "/settings"
		if b.ID != 0 {
			at = fmt.Sprintf("/popups/%d", place[b.ID])
		}
		errs = append(errs, popup.FieldError{Pointer: at, Detail: b.Err.Error()})
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return next, nil
}

// trace is polls that are kept.
type trace struct {
	fromMS, toMS int64 // the time that they are of
	polls        []tracedPoll
}

type tracedPoll struct {
	atMS  int64
	user  uint64
	bytes []byte
}

// trace returns the polls of those users of whom all have been kept, by time.
func (r *Reservoir) trace() trace {
	r.mu.Lock()
	r.expireLocked(r.config.Now())
	below, buckets := r.lowestLocked(), slices.Clone(r.buckets)
	r.mu.Unlock()
	t := trace{toMS: r.config.Now()}
	t.fromMS = t.toMS
	for i := range buckets {
		for p, rest, ok := nextPoll(buckets[i].polls); ok; p, rest, ok = nextPoll(rest) {
			if user := userOf(p); user < below && !r.resets.cover(p) {
				t.polls = append(t.polls, tracedPoll{timeOf(p), user, p})
			}
		}
	}
	slices.SortStableFunc(t.polls, func(a, b tracedPoll) int { return cmp.Compare(a.atMS, b.atMS) })
	if len(t.polls) > 0 {
		t.fromMS = min(t.fromMS, t.polls[0].atMS)
		t.toMS = max(t.toMS, t.polls[len(t.polls)-1].atMS)
	}
	return t
}

// thin returns the trace of fewer users, if it takes that to have at most so many polls.
func (t trace) thin(most int) trace {
	for below := uint64(everybody) / 2; len(t.polls) > most && below > 0; below /= 2 {
		t.polls = slices.DeleteFunc(slices.Clone(t.polls), func(p tracedPoll) bool { return p.user >= below })
	}
	return t
}

// simulation is one call of Simulate.
type simulation struct {
	before, after *snapshot.Snapshot
	minGap        time.Duration
	proposal      popup.Proposal
	trace         trace
	pacer         pacer

	poll        keptPoll
	user, prior [16]byte
}

func (s *simulation) run(nowMS int64) (popup.Simulation, error) {
	recent := s.trace.thin(maxPolls)
	out := popup.Simulation{
		From: time.UnixMilli(recent.fromMS).UTC(), To: time.UnixMilli(recent.toMS).UTC(),
		Polls: len(recent.polls), Popups: []popup.SimulatedPopup{},
	}
	users := map[uint64]bool{}
	for _, p := range recent.polls {
		users[p.user] = true
	}
	out.Users = len(users)
	winsBefore, winsAfter := map[string]int{}, map[string]int{}
	var err error
	if out.AnsweredBefore, err = s.count(s.before, recent, winsBefore); err != nil {
		return out, err
	}
	if out.AnsweredAfter, err = s.count(s.after, recent, winsAfter); err != nil {
		return out, err
	}
	fits, err := s.fits(recent)
	if err != nil {
		return out, err
	}
	proposed, err := s.reach(nowMS)
	if err != nil {
		return out, err
	}
	for _, key := range s.keys(winsBefore, winsAfter) {
		p := popup.SimulatedPopup{Key: key, WinsBefore: winsBefore[key], WinsAfter: winsAfter[key], Fit: fits[key], Reach: proposed[key]}
		own := s.proposed(key)
		p.Starved = p.WinsAfter == 0 && (p.WinsBefore > 0 || own != nil && own.Status == popup.Active)
		out.Popups = append(out.Popups, p)
	}
	return out, nil
}

// keys returns the popups to tell of in the order of selection, those last that the
// proposal archives.
func (s *simulation) keys(before, after map[string]int) (keys []string) {
	listed := map[string]bool{}
	for _, snap := range []*snapshot.Snapshot{s.after, s.before} {
		for _, p := range snap.All() {
			if !listed[p.Key] && (before[p.Key] > 0 || after[p.Key] > 0 || s.proposed(p.Key) != nil) {
				listed[p.Key] = true
				keys = append(keys, p.Key)
			}
		}
	}
	return keys
}

// proposed returns the popup of this key that is proposed, nil if none is.
func (s *simulation) proposed(key string) *popup.Spec {
	for i := range s.proposal.Popups {
		if s.proposal.Popups[i].Key == key {
			return &s.proposal.Popups[i]
		}
	}
	return nil
}

// count replays a trace under a snapshot, and counts what each popup wins.
func (s *simulation) count(snap *snapshot.Snapshot, t trace, wins map[string]int) (answered int, err error) {
	replay := decision.NewReplay(snap, s.minGap)
	for i := range t.polls {
		won, err := s.decide(replay, &t.polls[i], t.polls[i].atMS)
		if err != nil {
			return 0, err
		}
		if len(won) > 0 {
			answered++
		}
		for j := range won {
			wins[won[j].Popup.Key]++
		}
	}
	return answered, nil
}

// fits counts the polls of a trace, and the users, whom the popups that are proposed fit.
func (s *simulation) fits(t trace) (map[string]*popup.Fit, error) {
	out, users := map[string]*popup.Fit{}, map[string]map[uint64]bool{}
	var proposed []*snapshot.Popup
	for _, p := range s.after.All() {
		if s.proposed(p.Key) != nil {
			proposed = append(proposed, p)
			out[p.Key], users[p.Key] = &popup.Fit{}, map[uint64]bool{}
		}
	}
	for i := range t.polls {
		request, err := s.request(&t.polls[i])
		if err != nil {
			return nil, err
		}
		for _, p := range proposed {
			if s.after.Targets(p, request, t.polls[i].atMS) {
				out[p.Key].Polls++
				users[p.Key][t.polls[i].user] = true
			}
		}
	}
	for key, fit := range out {
		fit.Users = len(users[key])
	}
	return out, nil
}

// decide decides one poll of a trace.
func (s *simulation) decide(replay *decision.Replay, p *tracedPoll, atMS int64) ([]decision.Winner, error) {
	request, err := s.request(p)
	if err != nil {
		return nil, err
	}
	return replay.Poll(request, atMS), nil
}

// request returns one poll of a trace, valid until the next one.
func (s *simulation) request(p *tracedPoll) (*popup.Request, error) {
	if err := s.pacer.step(); err != nil {
		return nil, err
	}
	if err := s.poll.decode(p.bytes); err != nil {
		return nil, err
	}
	request := &s.poll.request
	request.User = appendUser(s.user[:0], s.poll.user)
	if s.poll.prior != 0 {
		request.PriorUser = appendUser(s.prior[:0], s.poll.prior)
	}
	return request, nil
}

// appendUser appends the id that stands for a user of whom the hash is known.
func appendUser(dst []byte, hash uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], hash)
	return hex.AppendEncode(dst, b[:])
}

// pacer leaves most of a processor to others.
type pacer struct {
	ctx   context.Context
	since time.Time // when the work under way began
	steps int
}

// step is called before each poll is looked at. It returns why the work is to end.
func (p *pacer) step() error {
	if p.steps++; p.steps%16 != 0 {
		return nil
	}
	worked := time.Since(p.since)
	if worked < workFor {
		return nil
	}
	select {
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	case <-time.After(restShare * worked):
	}
	p.since = time.Now()
	return nil
}
