package handler

import (
	"bytes"
	"errors"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	// maxEvents is how many events one request may report.
	maxEvents = 50
	// maxAppend is how many events a [Journal] takes at once.
	maxAppend = 256
)

// siteEvent is something that a user did on the site, as it was reported: nothing of it
// is believed yet.
type siteEvent struct {
	uid, name, sig []byte
	verdict
}

// eventScratch is the memory that taking events takes. Requests share a pool of them.
type eventScratch struct {
	json     reader
	items    []siteEvent
	identity signers       // none with IdentityOff
	events   []popup.Event // to be recorded
	keys     []uint64      // of each of them, see reportedGoals
	reports  int           // that they are of
	unheld   [][]byte      // users
}

// siteEvents answers POST /v1/events.
func (s *Server) siteEvents(ctx *fasthttp.RequestCtx) {
	form, ok := s.beginReport(ctx)
	if !ok {
		return
	}
	e := s.eventReports.Get().(*eventScratch)
	s.takeEvents(ctx, e, form)
	e.release()
	s.eventReports.Put(e)
}

// takeEvents reads the body, records what it reports, and answers.
func (s *Server) takeEvents(ctx *fasthttp.RequestCtx, e *eventScratch, form bool) {
	many, wrong := e.parse(ctx.PostBody(), form)
	if wrong != noProblem {
		s.metrics.events[eventMalformed].Inc()
		s.fail(ctx, wrong)
		return
	}
	now := s.now()
	if s.actionRate != nil && !s.actionRate.admit(s.clients.of(ctx), now, len(e.items)) {
		s.metrics.events[eventLimited].Add(float64(len(e.items)))
		s.fail(ctx, rateLimited)
		return
	}
	snap := s.snapshots.Current()
	for i := range e.items {
		it := &e.items[i]
		if it.wrong = s.checkEvent(it, e.identity); it.wrong == noProblem {
			s.addUnheld(e, snap, it.uid, it.name)
		}
	}
	if err := s.lookUpUnheld(e, len(e.items)); err != nil {
		s.fail(ctx, notRecorded)
		return
	}
	for i := range e.items {
		it := &e.items[i]
		if it.wrong != noProblem {
			continue
		}
		if err := s.addGoals(e, snap, it.uid, it.name, now); err != nil {
			s.fail(ctx, notRecorded)
			return
		}
	}
	if err := s.record(e); err != nil {
		s.fail(ctx, notRecorded)
		return
	}
	switch {
	case many:
		sendResults(s, ctx, e.items)
	case e.items[0].wrong != noProblem:
		s.fail(ctx, e.items[0].wrong)
	default:
		s.answers.recorded.send(ctx)
	}
}

// checkEvent returns what is wrong with an event, and counts it.
func (s *Server) checkEvent(it *siteEvent, identity signers) problem {
	wrong, result := it.wrong, eventMalformed
	switch {
	case wrong != noProblem:
	case !popup.ValidUserID(it.uid):
		wrong = invalidUID
	case !popup.ValidEventName(it.name):
		wrong = invalidEvent
	case !s.trusts(identity, it.uid, it.sig):
		wrong, result = invalidSignature, eventUnauthorized
	default:
		return noProblem
	}
	s.metrics.events[result].Inc()
	return wrong
}

var errUnheld = errors.New("not all users could be looked up in time")

// addUnheld notes the user of an event that may mean something, if the user is not held.
func (s *Server) addUnheld(e *eventScratch, snap *snapshot.Snapshot, user, name []byte) {
	if len(snap.Goals(name)) > 0 && !s.users.Holds(user, nil) {
		e.unheld = append(e.unheld, user)
	}
}

// lookUpUnheld looks up those that addUnheld has noted, of so many reports: without, nobody
// knows whether they were exposed to a popup whose goal it is.
func (s *Server) lookUpUnheld(e *eventScratch, reports int) error {
	if len(e.unheld) > 0 && !s.lookUps.LookUp(e.unheld...) {
		s.metrics.events[eventRefused].Add(float64(reports))
		return errUnheld
	}
	return nil
}

// addGoals adds to e.events what an event means for goals, but what has been recorded
// before. It records them once they are many.
func (s *Server) addGoals(e *eventScratch, snap *snapshot.Snapshot, user, name []byte, nowMS int64) error {
	before := len(e.events)
	e.events = decision.AppendGoals(e.events, snap, s.users, user, name, nowMS)
	found := e.events[before:]
	e.events = e.events[:before]
	for i := range found {
		key := s.reported.key(&found[i])
		if s.reported.has(key) || slices.Contains(e.keys[:before], key) {
			continue
		}
		e.events, e.keys = append(e.events, found[i]), append(e.keys, key)
	}
	clear(found[len(e.events)-before:])
	switch {
	case len(found) == 0:
		s.metrics.events[eventUnmatched].Inc()
	case len(e.events) == before:
		s.metrics.events[eventRepeated].Inc()
	default:
		e.reports++
	}
	if len(e.events) < maxAppend {
		return nil
	}
	return s.record(e)
}

// record journals e.events. Should only some of them be journaled, they count, and a
// client that reports them again does no harm.
func (s *Server) record(e *eventScratch) error {
	for events := range slices.Chunk(e.events, maxAppend) {
		if err := s.journal.Append(events); err != nil {
			s.metrics.events[eventRefused].Add(float64(e.reports))
			return err
		}
	}
	for _, key := range e.keys {
		s.reported.add(key)
	}
	s.metrics.events[eventRecorded].Add(float64(e.reports))
	e.forgetEvents()
	return nil
}

// Record records what users did on the site, as the control plane reports it: each
// event is valid. Once it returns nil, what it means for goals survives the end of the
// process.
func (s *Server) Record(events []popup.SiteEvent) error {
	e := s.eventReports.Get().(*eventScratch)
	defer s.eventReports.Put(e)
	defer e.release()
	snap, now := s.snapshots.Current(), s.now()
	for i := range events {
		s.addUnheld(e, snap, events[i].User, events[i].Name)
	}
	if err := s.lookUpUnheld(e, len(events)); err != nil {
		return err
	}
	for i := range events {
		if err := s.addGoals(e, snap, events[i].User, events[i].Name, now); err != nil {
			return err
		}
	}
	return s.record(e)
}

// parse reads the body into e.items. many says that it was an array.
func (e *eventScratch) parse(body []byte, form bool) (many bool, wrong problem) {
	e.items = e.items[:0]
	if form {
		return false, e.parseForm(body)
	}
	e.items, many, wrong = readItems(&e.json, bytes.TrimPrefix(body, byteOrderMark), e.items, maxEvents, tooManyEvents, (*reader).siteEvent)
	return many, wrong
}

// parseForm reads one event from an application/x-www-form-urlencoded body.
func (e *eventScratch) parseForm(body []byte) problem {
	e.json.reset(body)
	e.items = append(e.items, siteEvent{}) // not on the stack, to which field may not point
	it := &e.items[0]
	if !e.json.form(it.field) || it.uid == nil || it.name == nil {
		return malformedEvent
	}
	return noProblem
}

// field returns where the value of this name belongs, nil if there is none of this name.
func (it *siteEvent) field(name []byte) *[]byte {
	switch string(name) {
	case "uid":
		return &it.uid
	case "event":
		return &it.name
	case "sig":
		return &it.sig
	}
	return nil
}

// siteEvent reads one event, {"uid":"…","event":"…","sig":"…"}. Other members are
// ignored; of these each may be there once. It reports false for what is not JSON.
func (r *reader) siteEvent(it *siteEvent) bool {
	if r.peek() != '{' {
		it.wrong = malformedEvent
		return r.skip()
	}
	r.is('{')
	for more := !r.is('}'); more; {
		name, ok := r.text()
		if !ok || !r.is(':') || !r.textMember(it.field(name), &it.wrong, malformedEvent) {
			return false
		}
		if more = r.is(','); !more && !r.is('}') {
			return false
		}
	}
	if it.uid == nil || it.name == nil {
		it.wrong = malformedEvent
	}
	return true
}

// release forgets what the request and the snapshot own.
func (e *eventScratch) release() {
	e.json.src = nil
	clear(e.items)
	clear(e.unheld)
	e.unheld = e.unheld[:0]
	e.forgetEvents()
}

func (e *eventScratch) forgetEvents() {
	clear(e.events)
	e.events, e.keys, e.reports = e.events[:0], e.keys[:0], 0
}
