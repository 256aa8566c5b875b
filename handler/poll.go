package handler

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
)

// pollScratch is the memory that answering a poll takes. Polls share a pool of them.
type pollScratch struct {
	query
	decision.Decision
	newUsers newUsers
	keys     *keyring
	identity signers // none with IdentityOff
}

// newUsers is the limit on new users, for the client of one request.
type newUsers struct {
	rate   *clientRate // nil: no limit
	client uint64
}

func (u *newUsers) Admit(nowMS int64) bool { return u.rate.admit(u.client, nowMS, 1) }

// poll answers GET /v1/poll.
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
	s.metrics.decisions[o].Inc()
	s.metrics.pollSeconds.Observe((time.Since(s.start) - start).Seconds())
}

func (s *Server) answerPoll(ctx *fasthttp.RequestCtx, p *pollScratch) outcome {
	if !s.ready() {
		s.fail(ctx, notReady)
		return shed
	}
	if e := p.parse(ctx.URI().QueryString()); e != noProblem {
		s.fail(ctx, e)
		return invalid
	}
	if !s.trusts(p) {
		s.fail(ctx, invalidSignature)
		return unauthorized
	}
	if p.newUsers.rate != nil {
		p.newUsers.client = s.clients.of(ctx)
	}

	p.Decide(s.snapshots.Current(), s.users, &p.Request, s.now(), &p.newUsers)
	o := none
	if len(p.Events) > 0 {
		if err := s.journal.Append(p.Events); err != nil {
			p.Undo(s.users, &p.Request)
			o = shed
		}
	}
	switch {
	case len(p.Winners) > 0:
		s.serve(ctx, p)
		return served
	case p.Limited:
		s.metrics.limited.Inc()
		o = shed
	case o == none:
		s.metrics.rejections[p.Reason].Inc()
	}
	s.answers.none[p.NextPollSec].send(ctx)
	return o
}

// trusts checks the signature of the uid and reports whether the poll may go on.
func (s *Server) trusts(p *pollScratch) bool {
	if len(p.identity) == 0 {
		return true
	}
	worth := signatureValid
	switch {
	case len(p.sig) == 0:
		worth = signatureMissing
	case !p.identity.signed(p.User, p.sig):
		worth = signatureWrong
	}
	s.metrics.identity[worth].Inc()
	return worth == signatureValid || s.identity == IdentityMonitor
}

// serve answers with the popup that was decided on, of the one placement of a GET.
func (s *Server) serve(ctx *fasthttp.RequestCtx, p *pollScratch) {
	s.answers.served[p.NextPollSec].send(ctx)
	w := &p.Winners[0]
	t := token{user: p.User, popup: w.Popup.ID, version: w.Popup.Version, variant: w.Variant.Key, servedAtMS: w.ServedAtMS}
	b := ctx.Response.SwapBody(nil)[:0] // the buffer of the connection's last answer
	b = append(b, `{"popup":`...)
	b = w.Variant.AppendPopup(b, p.PlacementNames()[w.Placement])
	b = append(b, `,"token":"`...)
	b = p.keys.append(b, &t)
	b = append(b, `","next_poll_sec":`...)
	b = strconv.AppendInt(b, int64(p.NextPollSec), 10)
	b = append(b, '}')
	ctx.Response.SwapBody(b)
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
	p.Request = popup.Request{}
}
