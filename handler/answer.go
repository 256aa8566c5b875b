package handler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
)

const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"

	nextPollHeader = "Popup-Next-Poll"
	triggersHeader = "Popup-Triggers"
	exposedHeaders = nextPollHeader + ", " + triggersHeader + ", " + fasthttp.HeaderRetryAfter

	// Browsers keep no page in their back/forward cache that got an answer with
	// no-store. No cache may reuse what has no-cache and no validator.
	cacheControl = "private, no-cache"

	// What the answer to a POST begins with, has between triggers and withdrawn tokens, and
	// ends with.
	popupsHead, triggersEnd, popupsEnd = `{"popups":[`, `],"withdraw":[`, `]}`
)

// answer is what is the same in every answer of a kind. Copying a header that
// was put together once costs a third of setting its fields one by one
// (BenchmarkHeader).
type answer struct {
	header fasthttp.ResponseHeader
	body   []byte
}

// send starts the answer to ctx. Fields and a body of the caller's own come after it.
func (a *answer) send(ctx *fasthttp.RequestCtx) {
	a.header.CopyTo(&ctx.Response.Header)
	if a.body != nil {
		ctx.Response.SetBodyRaw(a.body)
	}
}

// answers are all the answers but those to a wrong method or a preflight, which
// depend on the path.
type answers struct {
	// By the seconds of Popup-Next-Poll: setting it in a copy costs twice as much.
	served [decision.MaxNextPollSec + 1]*answer // 200, its body follows
	none   [decision.MaxNextPollSec + 1]*answer // 204
	empty  [decision.MaxNextPollSec + 1]*answer // 200 to a POST with nothing to show or withdraw
	// A POST's answer after its popups, as far as the names of triggers.
	tails [decision.MaxNextPollSec + 1][]byte

	ready    *answer // 200 for the check of a load balancer
	recorded *answer // 202 for a single action
	results  *answer // 202 for an array, its body follows
	problems [numProblems]*answer
}

func newAnswers(o *origins) *answers {
	as := new(answers)
	for sec := range as.served {
		as.served[sec] = o.newAnswer(fasthttp.StatusOK, typeJSON, nil)
		as.none[sec] = o.newAnswer(fasthttp.StatusNoContent, "", nil)
		as.tails[sec] = fmt.Appendf(nil, `],"next_poll_sec":%d,"triggers":[`, sec)
		as.empty[sec] = o.newAnswer(fasthttp.StatusOK, typeJSON, slices.Concat([]byte(popupsHead), as.tails[sec], []byte(triggersEnd+popupsEnd)))
		for _, a := range []*answer{as.served[sec], as.none[sec], as.empty[sec]} {
			a.header.Set(nextPollHeader, strconv.Itoa(sec))
		}
	}
	as.ready = o.newAnswer(fasthttp.StatusOK, typeJSON, []byte(`{"status":"ready"}`))
	as.recorded = o.newAnswer(fasthttp.StatusAccepted, typeJSON, []byte(`{"accepted":1,"rejected":[]}`))
	as.results = o.newAnswer(fasthttp.StatusAccepted, typeJSON, nil)
	for p := noProblem + 1; p < numProblems; p++ {
		as.problems[p] = o.newAnswer(problems[p].status, typeProblem, p.body())
		if s := p.retryAfter(); s != "" {
			as.problems[p].header.Set(fasthttp.HeaderRetryAfter, s)
		}
	}
	// RFC 9110, 12.5.3: says what may be sent instead.
	as.problems[unsupportedEncoding].header.Set(fasthttp.HeaderAcceptEncoding, "identity")
	return as
}

// newAnswer returns an answer with the fields that every answer has.
func (o *origins) newAnswer(status int, contentType string, body []byte) *answer {
	a := &answer{body: body}
	h := &a.header
	h.SetNoDefaultContentType(true)
	h.SetStatusCode(status)
	if contentType != "" {
		h.SetContentType(contentType)
	}
	h.Set(fasthttp.HeaderCacheControl, cacheControl)
	if named := o.named(); named != "" {
		h.Set(fasthttp.HeaderAccessControlAllowOrigin, named)
	}
	if !o.any {
		h.Set(fasthttp.HeaderAccessControlAllowCredentials, "true")
		h.Set(fasthttp.HeaderVary, fasthttp.HeaderOrigin)
	}
	h.Set(fasthttp.HeaderAccessControlExposeHeaders, exposedHeaders)
	return a
}

// newMethodNotAllowed returns the 405 of a path with these methods.
func (o *origins) newMethodNotAllowed(methods []string) *answer {
	a := o.newAnswer(fasthttp.StatusMethodNotAllowed, typeProblem, methodNotAllowed.body())
	a.header.Set(fasthttp.HeaderAllow, allowed(methods))
	return a
}

// allowed returns the value of Allow of a path with these methods.
func allowed(methods []string) string { return strings.Join(methods, ", ") + ", OPTIONS" }
