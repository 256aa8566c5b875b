package handler

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"
)

// admit reports whether the page that sent a request is one of the origins, and
// returns the origin to name in the answer: nil if every answer names it already. A
// request without an Origin comes from a page on our own host, or from no page.
func (o *origins) admit(h *fasthttp.RequestHeader) (name []byte, ok bool) {
	if o.any {
		return nil, true
	}
	origin := h.PeekBytes(headerOrigin)
	if len(origin) == 0 {
		return nil, true
	}
	if ok = o.allow(origin); ok && o.named() == "" {
		name = origin
	}
	return name, ok
}

// named returns what every answer names as the origin that may read it: * or the
// only one that there can be, else nothing. Naming the only one does not let others read: a
// browser compares it with the page's own.
func (o *origins) named() string {
	switch {
	case o.any:
		return "*"
	case len(o.list) == 1 && len(o.wildcards) == 0:
		return o.list[0]
	}
	return ""
}

var (
	headerOrigin       = []byte(fasthttp.HeaderOrigin)
	headerAllowOrigin  = []byte(fasthttp.HeaderAccessControlAllowOrigin)
	headerAllowHeaders = []byte(fasthttp.HeaderAccessControlAllowHeaders)
)

// preflight is the answer to OPTIONS for a path.
type preflight struct{ answer }

func (o *origins) newPreflight(methods []string) *preflight {
	p := &preflight{*o.newAnswer(fasthttp.StatusNoContent, "", nil)}
	p.header.Del(fasthttp.HeaderAccessControlExposeHeaders)
	p.header.Set(fasthttp.HeaderAllow, allowed(methods))
	p.header.Set(fasthttp.HeaderAccessControlAllowMethods, strings.Join(methods, ", "))
	p.header.Set(fasthttp.HeaderAccessControlAllowHeaders, fasthttp.HeaderContentType)
	p.header.Set(fasthttp.HeaderAccessControlMaxAge, "86400")
	return p
}

// send allows whatever headers the page asks for: what wraps fetch adds its own,
// as for tracing, and none of them means anything to popupd.
func (p *preflight) send(ctx *fasthttp.RequestCtx) {
	p.answer.send(ctx)
	if asked := ctx.Request.Header.Peek(fasthttp.HeaderAccessControlRequestHeaders); isNameList(asked) {
		ctx.Response.Header.SetCanonical(headerAllowHeaders, asked)
	}
}

// maxAskedHeaders bounds Access-Control-Request-Headers, in bytes.
const maxAskedHeaders = 1024

// isNameList reports whether list is a list of header names, separated by commas.
func isNameList(list []byte) bool {
	if len(list) > maxAskedHeaders {
		return false
	}
	for more := true; more; {
		var name []byte
		name, list, more = bytes.Cut(list, comma)
		if !isToken(bytes.Trim(name, " \t")) {
			return false
		}
	}
	return true
}

var comma = []byte{','}

// isToken reports whether b is a token of RFC 9110, as the names of headers are.
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}
