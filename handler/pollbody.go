package handler

import "bytes"

// maxPollBody bounds the body of a poll, in bytes; maxPreview comes to it for a preview.
const maxPollBody = 16 << 10

// parseBody reads the JSON body of a poll. Members it does not know are ignored, null
// and an empty string are as if the member was missing. Of those it knows a second one
// makes the poll malformed, because readers of JSON do not agree on which one counts.
// It returns noProblem, or what is wrong with the body.
func (q *pollRequest) parseBody(body []byte) problem {
	if len(body) > maxPollBody && !(len(body) <= maxPollBody+maxPreview && bytes.Contains(body, quotedPreview)) {
		return bodyTooLarge
	}
	q.reset()
	r := &q.json
	r.reset(bytes.TrimPrefix(body, byteOrderMark))
	if !r.is('{') {
		return r.not(malformedPoll)
	}
	for more := !r.is('}'); more; {
		if p := q.readMember(); p != noProblem {
			return p
		}
		var ok bool
		if more, ok = r.next('}'); !ok {
			return malformedJSON
		}
	}
	switch {
	case !r.end():
		return malformedJSON
	case len(body) > maxPollBody && len(q.preview) == 0:
		return bodyTooLarge
	}
	return q.checkIDs()
}

func (q *pollRequest) readMember() problem {
	r := &q.json
	name, ok := r.text()
	if !ok || !r.is(':') {
		return malformedJSON
	}
	field, bit := q.builtIn(name)
	if field == nil {
		switch string(name) {
		case "placements":
			bit = seenPlacement
		case "attributes":
			bit = seenAttributes
		case "showing":
			bit = seenShowing
		default:
			return r.not(noProblem)
		}
	}
	if q.seen&bit != 0 {
		return malformedPoll
	}
	q.seen |= bit
	switch c := r.peek(); {
	case c == '"' && field != nil:
		if *field, ok = r.text(); !ok {
			return malformedJSON
		}
		return noProblem
	case c == 'n':
		return r.not(noProblem) // null, or no JSON
	case bit == seenPlacement:
		return q.readPlacements()
	case bit == seenAttributes:
		return q.readAttributes()
	case bit == seenShowing:
		return q.readShowing()
	}
	return r.not(malformedPoll)
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

// readAttributes reads an object of strings, numbers, booleans and arrays of these, which
// are sets. Numbers and booleans are taken as they are written, as they would be in a query
// string.
func (q *pollRequest) readAttributes() problem {
	r := &q.json
	if !r.is('{') {
		return r.not(invalidAttribute)
	}
	for more := !r.is('}'); more; {
		if p := q.readAttribute(); p != noProblem {
			return p
		}
		var ok bool
		if more, ok = r.next('}'); !ok {
			return malformedJSON
		}
	}
	return noProblem
}

func (q *pollRequest) readAttribute() problem {
	r := &q.json
	name, ok := r.text()
	if !ok || !r.is(':') {
		return malformedJSON
	}
	others := len(q.Attrs)
	p := noProblem
	if r.peek() == '[' {
		p = q.readSet(name)
	} else {
		p = q.readValue(name)
	}
	if p == noProblem && len(q.Attrs) > others && q.hasAttr(name, others) {
		return invalidAttribute
	}
	return p
}

// hasAttr reports whether one of the first n values is of an attribute of this name.
func (q *pollRequest) hasAttr(name []byte, n int) bool {
	for i := range q.Attrs[:n] {
		if bytes.Equal(q.Attrs[i].Name, name) {
			return true
		}
	}
	return false
}

// readSet reads an array of values of one attribute.
func (q *pollRequest) readSet(name []byte) problem {
	r := &q.json
	r.is('[')
	for more := !r.is(']'); more; {
		if r.peek() == '[' {
			return r.not(invalidAttribute)
		}
		if p := q.readValue(name); p != noProblem {
			return p
		}
		var ok bool
		if more, ok = r.next(']'); !ok {
			return malformedJSON
		}
	}
	return noProblem
}

// readValue reads one value of an attribute; null is none.
func (q *pollRequest) readValue(name []byte) problem {
	r := &q.json
	var value []byte
	var ok bool
	switch r.peek() {
	case 'n':
		return r.not(noProblem)
	case '{':
		return r.not(invalidAttribute)
	case '"':
		value, ok = r.text()
	default:
		value, ok = r.value()
	}
	if !ok {
		return malformedJSON
	}
	a := q.addAttr(name)
	if a == nil {
		return tooManyAttributes
	}
	a.Value = value
	return noProblem
}

// next reads what comes after a part of an object or array that ends with the byte
// end: a comma, then there is more, or the end. It reports false for ok if it is neither.
func (r *reader) next(end byte) (more, ok bool) {
	c := r.peek()
	if ok = c == ',' || c == end; ok {
		r.pos++
	}
	return c == ',', ok
}

// not reads a value that is not wanted and returns p, or malformedJSON if it is none.
func (r *reader) not(p problem) problem {
	if !r.skip() {
		return malformedJSON
	}
	return p
}

// texts reads an array of strings, no more than fit into dst. Anything else is the
// problem p.
func (r *reader) texts(dst [][]byte, p problem) ([][]byte, problem) {
	if !r.is('[') {
		return nil, r.not(p)
	}
	for more := !r.is(']'); more; {
		if len(dst) == cap(dst) {
			return nil, p
		}
		if r.peek() != '"' {
			return nil, r.not(p)
		}
		s, ok := r.text()
		if !ok {
			return nil, malformedJSON
		}
		dst = append(dst, s)
		if more, ok = r.next(']'); !ok {
			return nil, malformedJSON
		}
	}
	return dst, noProblem
}
