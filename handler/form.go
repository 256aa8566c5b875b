package handler

import "bytes"

// parseForm reads one action from an application/x-www-form-urlencoded body into
// a.items. As with JSON, other names are ignored, and a second value of one of ours
// makes the action malformed.
func (a *actionScratch) parseForm(body []byte) problem {
	a.reset(body)
	var it item
	for more := true; more; {
		var pair []byte
		pair, body, more = bytes.Cut(body, ampersand)
		if !a.addPair(&it, pair) {
			return malformedAction
		}
	}
	if it.token == nil || it.action == nil {
		return malformedAction
	}
	a.items = append(a.items, it)
	return noProblem
}

// addPair takes one name=value. It reports false if the action is malformed.
func (a *actionScratch) addPair(it *item, pair []byte) bool {
	name, value, _ := bytes.Cut(pair, equals)
	name, ok := a.unescape(name)
	if !ok {
		return true // no name of ours
	}
	isAge, field := string(name) == "age_ms", it.field(name)
	if field == nil && !isAge {
		return true
	}
	if value, ok = a.unescape(value); !ok {
		return false
	}
	if isAge {
		return it.setAge(value)
	}
	if *field != nil {
		return false
	}
	if value == nil {
		value = empty // it is there
	}
	*field = value
	return true
}

// unescape decodes s into the buffer of the body's strings.
func (a *actionScratch) unescape(s []byte) (decoded []byte, ok bool) {
	a.json.buf, decoded, ok = unescape(a.json.buf, s)
	return decoded, ok
}

var (
	ampersand = []byte{'&'}
	equals    = []byte{'='}
	empty     = []byte{}
)
