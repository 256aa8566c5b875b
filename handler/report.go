package handler

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/popup"
)

// item is one action as it was reported: nothing of it is believed yet.
type item struct {
	token  []byte
	action []byte
	ageMS  int64  // how long ago it happened, at most the life of a token
	aged   bool   // ageMS was given
	age    []byte // of a form: as it was written
	verdict
}

// verdict is what is wrong with an item of a report.
type verdict struct{ wrong problem } // noProblem: taken, so far

func (v verdict) problem() problem { return v.wrong }

// field returns where the value of this name belongs, nil if there is none of this name.
func (it *item) field(name []byte) *[]byte {
	switch string(name) {
	case "token":
		return &it.token
	case "action":
		return &it.action
	}
	return nil
}

// setAge takes the value of age_ms, which is digits alone. It reports false for any
// other, and for a second one.
func (it *item) setAge(digits []byte) bool {
	if it.aged || len(digits) == 0 {
		return false
	}
	it.aged = true
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		it.ageMS = min(10*it.ageMS+int64(c-'0'), popup.TokenLife.Milliseconds())
	}
	return true
}

// byteOrderMark is what some clients put before UTF-8. RFC 8259 lets readers skip it.
var byteOrderMark = []byte("\ufeff")

// reset begins with a body.
func (a *actionScratch) reset(body []byte) {
	a.items, a.events, a.taken, a.tokens = a.items[:0], a.events[:0], a.taken[:0], a.tokens[:0]
	a.json.reset(body)
}

// parse reads the body into a.items. many says that it was an array.
func (a *actionScratch) parse(body []byte, form bool) (many bool, wrong problem) {
	if form {
		return false, a.parseForm(body)
	}
	return a.parseJSON(bytes.TrimPrefix(body, byteOrderMark))
}

// parseJSON reads the body into a.items. many says that it was an array.
func (a *actionScratch) parseJSON(body []byte) (many bool, wrong problem) {
	a.reset(body)
	a.items, many, wrong = readItems(&a.json, body, a.items, maxActions, tooManyActions, (*reader).item)
	if !many && wrong == noProblem {
		wrong = a.items[0].wrong
	}
	return many, wrong
}

// readItems reads a body of one item, or an array of at most so many, and appends them to
// items. read fills in an item, and reports false for what is not JSON.
func readItems[T any](r *reader, body []byte, items []T, most int, tooMany problem, read func(*reader, *T) bool) (_ []T, many bool, wrong problem) {
	r.reset(body)
	var zero T
	if r.peek() != '[' {
		items = append(items, zero)
		if !read(r, &items[len(items)-1]) || !r.end() {
			return items, false, malformedJSON
		}
		return items, false, noProblem
	}
	r.is('[')
	if r.is(']') {
		if !r.end() {
			return items, true, malformedJSON
		}
		return items, true, noProblem
	}
	for {
		if len(items) == most {
			if !r.skip() {
				return items, true, malformedJSON
			}
			return items, true, tooMany
		}
		items = append(items, zero)
		if !read(r, &items[len(items)-1]) {
			return items, true, malformedJSON
		}
		if r.is(',') {
			continue
		}
		if !r.is(']') || !r.end() {
			return items, true, malformedJSON
		}
		return items, true, noProblem
	}
}

// item reads one action, {"token":"…","action":"…"}. Other members are
// ignored; a second token or action makes the item malformed, because readers
// of JSON do not agree on which one counts. It reports false for what is not JSON.
func (r *reader) item(it *item) bool {
	if r.peek() != '{' {
		it.wrong = malformedAction
		return r.skip()
	}
	r.is('{')
	if !r.is('}') {
		for {
			if !r.member(it) {
				return false
			}
			if r.is(',') {
				continue
			}
			if !r.is('}') {
				return false
			}
			break
		}
	}
	if it.token == nil || it.action == nil {
		it.wrong = malformedAction
	}
	return true
}

// member reads one member of an action. It reports false for what is not JSON.
func (r *reader) member(it *item) bool {
	name, ok := r.text()
	if !ok || !r.is(':') {
		return false
	}
	if string(name) == "age_ms" {
		value, ok := r.value()
		if !it.setAge(value) {
			it.wrong = malformedAction
		}
		return ok
	}
	return r.textMember(it.field(name), &it.wrong, malformedAction)
}

// textMember reads the value of a member into its field, nil if it is none of ours. What
// is no string, or there twice, is wrong: readers of JSON do not agree on which one
// counts. It reports false for what is not JSON.
func (r *reader) textMember(field *[]byte, wrong *problem, malformed problem) (ok bool) {
	if field == nil {
		return r.skip()
	}
	if *field != nil || r.peek() != '"' {
		*wrong = malformed
		return r.skip()
	}
	*field, ok = r.text()
	return ok
}

var (
	contentJSON = []byte("application/json")
	contentText = []byte("text/plain")
	contentForm = []byte("application/x-www-form-urlencoded")
)

// takesType reports whether a Content-Type is one that JSON may have here. A beacon
// may come without one.
func takesType(contentType []byte) bool {
	switch string(contentType) { // as browsers and SDKs write them
	case typeJSON, "text/plain;charset=UTF-8":
		return true
	}
	t := mediaType(contentType)
	return len(t) == 0 || bytes.EqualFold(t, contentJSON) || bytes.EqualFold(t, contentText)
}

// isForm reports whether a Content-Type is that of a form.
func isForm(contentType []byte) bool { return bytes.EqualFold(mediaType(contentType), contentForm) }

// mediaType returns a Content-Type without its parameters.
func mediaType(contentType []byte) []byte {
	t, _, _ := bytes.Cut(contentType, semicolon)
	return bytes.TrimSpace(t)
}

// isEncoded reports whether a body is compressed, or has another Content-Encoding.
func isEncoded(h *fasthttp.RequestHeader) bool {
	if h.ContentEncoding() == nil { // looks for one as fasthttp spells it, in half the time
		return false
	}
	for _, encoding := range h.PeekAll(fasthttp.HeaderContentEncoding) {
		if !bytes.EqualFold(encoding, identityCoding) {
			return true
		}
	}
	return false
}

var identityCoding = []byte("identity")
