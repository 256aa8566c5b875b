package handler

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/internal/sample"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// pollScratch is the memory that answering a poll takes. Polls share a pool of them.
type pollScratch struct {
	pollRequest
	decision.Decision
	newUsers newUsers
	keys     *keyring
	identity signers // none with IdentityOff
	token    []byte  // decoded, of a popup on screen
	draw     sample.Draw
}

// newUsers is the limit on new users, for the client of one request.
type newUsers struct {
	rate   *clientRate // nil: no limit
	client uint64
	paid   bool // the user of this poll was admitted to be looked up
}

func (u *newUsers) Admit(nowMS int64) bool { return u.paid || u.rate.admit(u.client, nowMS, 1) }

// poll answers GET and POST /v1/poll.
func (s *Server) poll(ctx *fasthttp.RequestCtx) {
	if s.sheds(ctx) {
		s.metrics.decisions[shed].Inc()
		return
	}
	start := time.Since(s.start) // reads one clock, time.Now reads two
	p := s.polls.Get().(*pollScratch)
	o := s.answerPoll(ctx, p)
	p.release()
	s.polls.Put(p)
	took := time.Since(s.start) - start
	s.metrics.decisions[o].Inc()
	s.metrics.pollSeconds.Observe(took.Seconds())
	if s.tracer != nil {
		s.tracer.Poll(ctx.Request.Header.Peek("Traceparent"), method(ctx), outcomeNames[o], took)
	}
}

func method(ctx *fasthttp.RequestCtx) string {
	if ctx.IsPost() {
		return fasthttp.MethodPost
	}
	return fasthttp.MethodGet
}

func (s *Server) answerPoll(ctx *fasthttp.RequestCtx, p *pollScratch) outcome {
	if !s.ready() {
		s.fail(ctx, notReady)
		return shed
	}
	isPost := ctx.IsPost()
	if e := p.parse(ctx, isPost); e != noProblem {
		s.fail(ctx, e)
		return invalid
	}
	if len(p.preview) > 0 {
		return s.answerPreview(ctx, p, isPost)
	}
	if !s.trusts(p.identity, p.User, p.sig) {
		s.fail(ctx, invalidSignature)
		return unauthorized
	}
	if p.newUsers.rate != nil {
		p.newUsers.client = s.clients.of(ctx)
	}

	snap, now := s.snapshots.Current(), s.now()
	if snap.UsesIP() {
		p.IP = s.clients.appendAddress(p.ip[:0], ctx)
	}
	o := s.decideOnce(p, snap, now)
	switch {
	case isPost:
		s.sendPopups(ctx, p, snap, now)
		return o
	case o == served:
		s.serve(ctx, p)
	default:
		s.answers.none[p.NextPollSec].send(ctx)
	}
	if t := snap.Triggers(p.PlacementNames()[0]); t != nil {
		ctx.Response.Header.Set(triggersHeader, t.Header)
	}
	return o
}

// parse reads the query string of a GET or the body of a POST.
func (p *pollScratch) parse(ctx *fasthttp.RequestCtx, isPost bool) problem {
	if !isPost {
		return p.parseQuery(ctx.URI().QueryString())
	}
	switch h := &ctx.Request.Header; {
	case !takesType(h.ContentType()):
		return unsupportedMediaType
	case isEncoded(h):
		return unsupportedEncoding
	}
	return p.parseBody(ctx.PostBody())
}

// decideOnce is decide; for a repeated poll it comes to what that was answered with.
func (s *Server) decideOnce(p *pollScratch, snap *snapshot.Snapshot, nowMS int64) (o outcome) {
	if len(p.rid) == 0 {
		return s.decide(p, snap, nowMS)
	}
	key := s.repeats.keyOf(&p.pollRequest)
	if s.repeats.recall(key, &p.Decision, nowMS) {
		return served
	}
	o = none
	defer func() { s.repeats.keep(key, &p.Decision, o) }() // after a fault too: others may wait
	o = s.decide(p, snap, nowMS)
	return o
}

// decide decides, and journals what was decided: all of it or nothing.
func (s *Server) decide(p *pollScratch, snap *snapshot.Snapshot, nowMS int64) outcome {
	if !s.tryDecide(p, snap, nowMS) {
		p.NextPollSec = decision.DefaultNextPoll(rand.Uint64())
		if !p.newUsers.Admit(nowMS) {
			s.metrics.limited.Inc()
			return shed
		}
		// Not held. What is looked up may be forgotten again at once, but only by chance.
		if !s.lookUp(p) || !s.tryDecide(p, snap, nowMS) {
			return unknown
		}
	}
	if s.sample.Keeps(p.UserHash) {
		s.sample.Keep(&p.Request, p.UserHash, s.users, nowMS)
	}
	o := none
	if len(p.Events) > 0 {
		if err := s.journal.Append(p.Events); err != nil {
			p.Undo(s.users, &p.Request)
			o = unrecorded
		}
	}
	switch {
	case len(p.Winners) > 0:
		for i := range p.Winners {
			s.byPopup.count(p.Winners[i].Popup)
		}
		return served
	case p.Limited:
		s.metrics.limited.Inc()
		return shed
	case o == none:
		s.metrics.rejections[p.Reason].Inc()
		if p.Reason == popup.StateFull {
			o = unrecorded
		}
	}
	return o
}

// lookUp has a user looked up who was admitted as a new one: made-up ids must not be looked up
// without end. Where none of the ids is new that does not count.
func (s *Server) lookUp(p *pollScratch) bool {
	p.newUsers.paid = true
	if !s.lookUps.LookUp(p.User, p.PriorUser) {
		return false
	}
	if s.knows(p.User) && (p.PriorUser == nil || s.knows(p.PriorUser)) {
		p.newUsers.paid = false
		p.newUsers.rate.giveBack(p.newUsers.client)
	}
	return true
}

// knows reports whether anything is remembered of a user.
func (s *Server) knows(user []byte) bool {
	u := s.users.Lock(user)
	defer u.Unlock()
	return u.Known()
}

// tryDecide decides, or reports false if it is not known what the user has seen.
func (s *Server) tryDecide(p *pollScratch, snap *snapshot.Snapshot, nowMS int64) bool {
	if chance := s.whyNot.Picks(&p.draw); chance > 0 && s.users.Holds(p.User, p.PriorUser) {
		s.whyNot.Take(snap, s.users, &p.Request, nowMS, chance)
	}
	p.Decide(snap, s.users, &p.Request, nowMS, &p.newUsers)
	return !p.Unheld
}

// trusts checks the signature of a uid and reports whether the request may go on.
func (s *Server) trusts(identity signers, uid, sig []byte) bool {
	if len(identity) == 0 {
		return true
	}
	worth := signatureValid
	switch {
	case len(sig) == 0:
		worth = signatureMissing
	case !identity.signed(uid, sig):
		worth = signatureWrong
	}
	s.metrics.identity[worth].Inc()
	return worth == signatureValid || s.identity == IdentityMonitor
}

// serve answers a GET with the popup that was decided on.
func (s *Server) serve(ctx *fasthttp.RequestCtx, p *pollScratch) {
	s.answers.served[p.NextPollSec].send(ctx)
	b := ctx.Response.SwapBody(nil)[:0] // the buffer of the connection's last answer
	b = p.appendServed(b, &p.Winners[0])
	b = append(b, `,"next_poll_sec":`...)
	b = strconv.AppendInt(b, int64(p.NextPollSec), 10)
	b = append(b, '}')
	ctx.Response.SwapBody(b)
}

// appendServed appends a popup and its token, as members of an object that has begun.
func (p *pollScratch) appendServed(b []byte, w *decision.Winner) []byte {
	t := token{user: p.User, popup: w.Popup.ID, version: w.Popup.Version, variant: w.Variant.Key, servedAtMS: w.ServedAtMS}
	b = append(b, `{"popup":`...)
	b = w.Variant.AppendPopup(b, p.PlacementNames()[w.Placement], p.Locale)
	b = append(b, `,"token":"`...)
	b = p.keys.append(b, &t)
	return append(b, '"')
}

// sendPopups answers a POST, with no popup too.
func (s *Server) sendPopups(ctx *fasthttp.RequestCtx, p *pollScratch, snap *snapshot.Snapshot, nowMS int64) {
	if len(p.Winners) == 0 && len(p.showing) == 0 && !snap.HasTriggers() {
		s.answers.empty[p.NextPollSec].send(ctx)
		return
	}
	s.answers.served[p.NextPollSec].send(ctx)
	b := ctx.Response.SwapBody(nil)[:0]
	b = append(b, popupsHead...)
	for i := range p.Winners {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.appendServed(b, &p.Winners[i])
		b = append(b, '}')
	}
	b = append(b, s.answers.tails[p.NextPollSec]...)
	if snap.HasTriggers() {
		b = appendTriggers(b, snap, p.PlacementNames())
	}
	b = append(b, triggersEnd...)
	b = p.appendWithdrawn(b, snap, nowMS)
	b = append(b, popupsEnd...)
	ctx.Response.SwapBody(b)
}

// appendTriggers appends, each once, the triggers that popups of any of the placements
// wait for.
func appendTriggers(b []byte, snap *snapshot.Snapshot, placements [][]byte) []byte {
	comma := false
	for i, here := range placements {
		for _, name := range snap.Triggers(here).All() {
			if slices.ContainsFunc(placements[:i], func(before []byte) bool { return snap.Triggers(before).Has(name) }) {
				continue
			}
			if comma {
				b = append(b, ',')
			}
			comma = true
			b = append(b, '"')
			b = append(b, name...) // nothing in it needs to be escaped
			b = append(b, '"')
		}
	}
	return b
}

// appendWithdrawn appends the tokens of those popups on screen that are over. A token
// that is not ours is left out.
func (p *pollScratch) appendWithdrawn(b []byte, snap *snapshot.Snapshot, nowMS int64) []byte {
	comma := false
	for _, text := range p.showing {
		var t token
		var ok bool
		if p.token, ok = p.keys.verify(&t, text, p.token[:0]); !ok || !isOver(snap, &t, nowMS) {
			continue
		}
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(b, '"')
		b = append(b, text...) // of letters, digits, '.', '-' and '_'
		b = append(b, '"')
	}
	return b
}

// isOver reports whether the popup of a token has been paused or archived, or has
// ended. A popup that was made or changed a moment ago, on another server, may be
// unknown here, or of an earlier version: that says nothing about what the user sees.
func isOver(snap *snapshot.Snapshot, t *token, nowMS int64) bool {
	p := snap.Popup(t.popup)
	if p == nil {
		return snap.IsArchived(t.popup)
	}
	return t.version <= p.Version && p.IsOver(nowMS)
}

// newNextPoll returns the values of Popup-Next-Poll by the number of seconds.
func newNextPoll() [][]byte {
	values := make([][]byte, decision.MaxNextPollSec+1)
	for i := range values {
		values[i] = strconv.AppendInt(nil, int64(i), 10)
	}
	return values
}

// release forgets what the request referred to.
func (p *pollScratch) release() {
	p.Decision.Release()
	p.newUsers.paid = false
	p.Request = popup.Request{}
	p.json.src = nil
}
