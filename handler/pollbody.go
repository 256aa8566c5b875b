package handler

import (
	"bytes"

	"github.com/popupd/popupd/popup"
)

// maxPollBody bounds the body of a poll, in bytes.
const maxPollBody = 16 << 10

// parseBody reads the JSON body of a poll. Members it does not know are ignored, null
// and an empty string are as if the member was missing. Of those it knows a second one
// makes the poll malformed, because readers of JSON do not agree on which one counts.
// It returns noProblem, or what is wrong with the body.
func (q *pollRequest) parseBody(body []byte) problem {
	if len(body) > maxPollBody {
		return bodyTooLarge
	}
	q.reset()
	r := &q.json
	r.reset(bytes.TrimPrefix(body, byteOrderMark))
	if !r.is('{') {
		return r.not(malformedPoll)
	}
	for first := true; ; first = false {
		more, ok := r.next(first, '}')
		if !ok {
			return malformedJSON
		}
		if !more {
			break
		}
		if p := q.readMember(); p != noProblem {
			return p
		}
	}
	if !r.end() {
		return malformedJSON
	}
	return q.checkIDs()
}

func (q *pollRequest) readMember() problem {
	r := &q.json
	name, ok := r.text()
	if !ok || !r.is(':') {
		return malformedJSON
	}
	var field *[]byte
	var bit uint
	switch string(name) {
	case "placements":
		bit = seenPlacement
	case "attributes":
		bit = seenAttributes
	case "showing":
		bit = seenShowing
	default:
		if field, bit = q.builtIn(name); field == nil {
			return r.not(noProblem)
		}
	}
	if q.seen&bit != 0 {
		return malformedPoll
	}
	q.seen |= bit
	if r.peek() == 'n' {
		return r.not(noProblem) // null, or no JSON
	}
	switch bit {
	case seenPlacement:
		return q.readPlacements()
	case seenAttributes:
		return q.readAttributes()
	case seenShowing:
		return q.readShowing()
	}
	return r.readText(field, malformedPoll)
}

func (q *pollRequest) readPlacements() (p problem) {
	q.Placements, p = q.json.texts(q.places[:0], invalidPlacements)
	if p != noProblem {
		return p
	}
	if len(q.Placements) == 0 {
		return invalidPlacements
	}
	for i, name := range q.Placements {
		if len(name) == 0 {
			return invalidPlacements
		}
		for _, before := range q.Placements[:i] {
			if bytes.Equal(name, before) {
				return invalidPlacements
			}
		}
	}
	return noProblem
}

func (q *pollRequest) readShowing() (p problem) {
	q.showing, p = q.json.texts(q.tokens[:0], invalidShowing)
	return p
}

// readAttributes reads an object of strings, numbers and booleans. The last two are
// taken as they are written, as they would be in a query string.
func (q *pollRequest) readAttributes() problem {
	r := &q.json
	if !r.is('{') {
		return r.not(invalidAttribute)
	}
	for first := true; ; first = false {
		more, ok := r.next(first, '}')
		if !ok {
			return malformedJSON
		}
		if !more {
			return noProblem
		}
		if p := q.readAttribute(); p != noProblem {
			return p
		}
	}
}

func (q *pollRequest) readAttribute() problem {
	r := &q.json
	name, ok := r.text()
	if !ok || !r.is(':') {
		return malformedJSON
	}
	var value []byte
	switch r.peek() {
	case 'n':
		return r.not(noProblem)
	case '[', '{':
		return r.not(invalidAttribute)
	case '"':
		value, ok = r.text()
	default:
		value, ok = r.value()
	}
	switch {
	case !ok:
		return malformedJSON
	case !q.newAttr(name):
		return invalidAttribute
	case len(q.Attrs) == popup.MaxAttrs:
		return tooManyAttributes
	}
	q.Attrs = append(q.Attrs, popup.Attr{Name: name, Value: value})
	return noProblem
}

// next reads on to the next part of an object or array that ends with the byte end.
// It reports false for more at the end, and false for ok if neither is there.
func (r *reader) next(first bool, end byte) (more, ok bool) {
	switch {
	case first && r.is(end):
		return false, true
	case first || r.is(','):
		return true, true
	}
	return false, r.is(end)
}

// not reads a value that is not wanted and returns p, or malformedJSON if it is none.
func (r *reader) not(p problem) problem {
	if !r.skip() {
		return malformedJSON
	}
	return p
}

// readText reads a string. Any other value is the problem p.
func (r *reader) readText(s *[]byte, p problem) problem {
	if r.peek() != '"' {
		return r.not(p)
	}
	var ok bool
	if *s, ok = r.text(); !ok {
		return malformedJSON
	}
	return noProblem
}

// texts reads an array of strings, no more than fit into dst. Anything else is the
// problem p.
func (r *reader) texts(dst [][]byte, p problem) ([][]byte, problem) {
	if !r.is('[') {
		return nil, r.not(p)
	}
	for first := true; ; first = false {
		more, ok := r.next(first, ']')
		if !ok {
			return nil, malformedJSON
		}
		if !more {
			return dst, noProblem
		}
		if len(dst) == cap(dst) {
			return nil, p
		}
		var s []byte
		if wrong := r.readText(&s, p); wrong != noProblem {
			return nil, wrong
		}
		dst = append(dst, s)
	}
}
