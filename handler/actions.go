package handler

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// maxActions is how many actions one request may report.
const maxActions = 50

// actionScratch is the memory that taking actions takes. Requests share a pool of them.
type actionScratch struct {
	json   reader
	items  []item
	keys   *keyring
	tokens []byte        // decoded, what events refer to
	events []popup.Event // of the actions that are recorded
	taken  []taken       // and how to take them back
	unheld bool          // a user could not be looked up: no more are
}

// taken is an action that has been applied to its user's state.
type taken struct {
	undo   frequency.Undo
	result actionResult // once it is recorded
}

func newActionScratch(keys *keyring) *actionScratch {
	return &actionScratch{
		keys:   keys,
		items:  make([]item, 0, maxActions),
		tokens: make([]byte, 0, maxTokenBytes),
		events: make([]popup.Event, 0, maxActions), // Act keeps pointers into it
		taken:  make([]taken, 0, maxActions),
	}
}

// actions answers POST /v1/actions.
func (s *Server) actions(ctx *fasthttp.RequestCtx) {
	form, ok := s.beginReport(ctx)
	if !ok {
		return
	}
	a := s.reports.Get().(*actionScratch)
	s.take(ctx, a, form)
	a.release()
	s.reports.Put(a)
}

// beginReport answers what cannot be a report of actions or events. It returns whether
// the others are a form.
func (s *Server) beginReport(ctx *fasthttp.RequestCtx) (form, ok bool) {
	if s.sheds(ctx) {
		return false, false
	}
	if !s.ready() {
		s.fail(ctx, notReady)
		return false, false
	}
	contentType := ctx.Request.Header.ContentType()
	form = isForm(contentType)
	if !form && !takesType(contentType) {
		s.fail(ctx, unsupportedMediaType)
		return false, false
	}
	if isEncoded(&ctx.Request.Header) {
		s.fail(ctx, unsupportedEncoding)
		return false, false
	}
	return form, true
}

// take reads the body, applies and records what it reports, and answers. All
// of it is recorded together or nothing is.
func (s *Server) take(ctx *fasthttp.RequestCtx, a *actionScratch, form bool) {
	many, wrong := a.parse(ctx.PostBody(), form)
	if wrong != noProblem {
		s.metrics.actions[0][malformed].Inc()
		s.fail(ctx, wrong)
		return
	}
	snap, now := s.snapshots.Current(), s.now()
	if s.actionRate != nil && !s.actionRate.admit(s.clients.of(ctx), now, len(a.items)) {
		s.metrics.actions[0][limited].Add(float64(len(a.items)))
		s.fail(ctx, rateLimited)
		return
	}
	for i := range a.items {
		a.items[i].wrong = s.apply(a, &a.items[i], snap, now)
	}
	if len(a.events) > 0 {
		if err := s.journal.Append(a.events); err != nil {
			s.takeBack(a)
			s.fail(ctx, notRecorded)
			return
		}
	}
	for i := range a.events {
		s.metrics.actions[a.events[i].Action][a.taken[i].result].Inc()
	}
	switch {
	case many:
		sendResults(s, ctx, a.items)
	case a.items[0].wrong != noProblem:
		s.fail(ctx, a.items[0].wrong)
	default:
		s.answers.recorded.send(ctx)
	}
}

// apply applies one action to the user's state. If it is to be recorded, its event is
// added to a.events. It returns what is wrong with the item.
func (s *Server) apply(a *actionScratch, it *item, snap *snapshot.Snapshot, nowMS int64) problem {
	if it.wrong != noProblem {
		s.metrics.actions[0][malformed].Inc()
		return it.wrong
	}
	action := parseAction(it.action)
	if action == 0 {
		s.metrics.actions[0][malformed].Inc()
		return unknownAction
	}
	results := &s.metrics.actions[action]
	var t token
	var ok bool
	if a.tokens, ok = a.keys.verify(&t, it.token, a.tokens); !ok {
		results[forged].Inc()
		return invalidToken
	}
	ageMS := nowMS - t.servedAtMS
	if ageMS > popup.TokenLife.Milliseconds() {
		results[expired].Inc()
		return tokenExpired
	}
	if action == popup.Release && ageMS > popup.ReleaseWithin.Milliseconds() {
		results[late].Inc()
		return noProblem
	}
	a.events = append(a.events, popup.Event{
		AtMS: nowMS, ServedAtMS: t.servedAtMS,
		User: t.user, Popup: t.popup, Version: t.version, Variant: t.variant, Action: action,
	})
	ev := &a.events[len(a.events)-1]
	var waits *popup.Frequency // of an archived popup: none
	if p := snap.Popup(t.popup); p != nil {
		waits = &p.Frequency
	}
	if !a.unheld && !s.users.Holds(t.user, nil) {
		a.unheld = !s.lookUps.LookUp(t.user) // it is taken all the same: the database decides what counts
	}
	user := s.users.Lock(t.user)
	undo, outcome := user.Act(ev, waits, it.ageMS)
	user.Unlock()
	switch outcome {
	case frequency.Counted:
		a.taken = append(a.taken, taken{undo, counted})
		return noProblem
	case frequency.Repeated:
		a.taken = append(a.taken, taken{undo, repeated})
		return noProblem
	}
	a.events = a.events[:len(a.events)-1]
	if outcome == frequency.Void {
		results[expired].Inc()
		return tokenExpired
	}
	results[full].Inc()
	return stateFull
}

// parseAction returns the action a page may report under this name, 0 if there is none.
func parseAction(name []byte) popup.Action {
	switch string(name) {
	case "click":
		return popup.Click
	case "dismiss":
		return popup.Dismiss
	case "convert":
		return popup.Convert
	case "view":
		return popup.View
	case "release":
		return popup.Release
	}
	return 0
}

// takeBack undoes what was applied, newest first, when it could not be recorded.
func (s *Server) takeBack(a *actionScratch) {
	for i := len(a.events) - 1; i >= 0; i-- {
		user := s.users.Lock(a.events[i].User)
		user.Undo(a.taken[i].undo)
		user.Unlock()
		s.metrics.actions[a.events[i].Action][refused].Inc()
	}
}

// sendResults answers an array: how many were taken and what is wrong with the others.
func sendResults[T interface{ problem() problem }](s *Server, ctx *fasthttp.RequestCtx, items []T) {
	s.answers.results.send(ctx)
	taken := 0
	for i := range items {
		if items[i].problem() == noProblem {
			taken++
		}
	}
	b := ctx.Response.SwapBody(nil)[:0]
	b = append(b, `{"accepted":`...)
	b = strconv.AppendInt(b, int64(taken), 10)
	b = append(b, `,"rejected":[`...)
	for i := range items {
		wrong := items[i].problem()
		if wrong == noProblem {
			continue
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = append(b, `{"index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"code":"`...)
		b = append(b, wrong.code()...)
		b = append(b, `"}`...)
	}
	b = append(b, `]}`...)
	ctx.Response.SwapBody(b)
}

// release forgets what the request and the snapshot own.
func (a *actionScratch) release() {
	a.json.src = nil
	a.unheld = false
	clear(a.items)
	clear(a.events)
}
