package handler

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// origins are the pages that may read our answers.
type origins struct {
	any  bool
	list []string
}

// newOrigins checks a list of origins, scheme://host[:port] or * for any.
func newOrigins(list []string) (origins, error) {
	for _, s := range list {
		if s == "*" {
			return origins{any: true}, nil
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme == "" || u.Host == "" || s != strings.ToLower(u.Scheme+"://"+u.Host) {
			return origins{}, fmt.Errorf("origin %q: want scheme://host or scheme://host:port in lower case, or *", s)
		}
	}
	return origins{list: slices.Clone(list)}, nil
}

func (o origins) allow(origin []byte) bool {
	for _, s := range o.list {
		if string(origin) == s {
			return true
		}
	}
	return false
}

// name names the origin of a request in its answer, if it is one of a list. With
// any, the answer has the header already.
func (o origins) name(ctx *fasthttp.RequestCtx) {
	if o.any {
		return
	}
	if origin := ctx.Request.Header.Peek(fasthttp.HeaderOrigin); o.allow(origin) {
		ctx.Response.Header.SetCanonical(headerAllowOrigin, origin)
	}
}

// only returns the single origin that may read answers, nil if there are several,
// or any may. It is for answers to requests whose headers could not be read. Which
// one of several has asked is not known then, and none is named. Naming the single
// one does not let others read: a browser compares it with the page's own.
func (o origins) only() []byte {
	if len(o.list) != 1 {
		return nil
	}
	return []byte(o.list[0])
}

var (
	headerAllowOrigin  = []byte(fasthttp.HeaderAccessControlAllowOrigin)
	headerAllowHeaders = []byte(fasthttp.HeaderAccessControlAllowHeaders)
)

// preflight is the answer to OPTIONS for a path with one method.
type preflight struct{ answer }

func (o origins) newPreflight(method string) *preflight {
	p := &preflight{*o.newAnswer(fasthttp.StatusNoContent, "", nil)}
	p.header.Del(fasthttp.HeaderAccessControlExposeHeaders)
	p.header.Set(fasthttp.HeaderAllow, method+", OPTIONS")
	p.header.Set(fasthttp.HeaderAccessControlAllowMethods, method)
	p.header.Set(fasthttp.HeaderAccessControlAllowHeaders, fasthttp.HeaderContentType)
	p.header.Set(fasthttp.HeaderAccessControlMaxAge, "86400")
	return p
}

// send allows whatever headers the page asks for: what wraps fetch adds its own,
// as for tracing, and none of them means anything to popupd.
func (p *preflight) send(ctx *fasthttp.RequestCtx, origins origins) {
	p.answer.send(ctx, origins)
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
