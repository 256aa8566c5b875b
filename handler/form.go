package handler

import "bytes"

// parseForm reads one action from an application/x-www-form-urlencoded body into
// a.items. As with JSON, other names are ignored, and a second value of one of ours
// makes the action malformed.
func (a *actionScratch) parseForm(body []byte) problem {
	a.reset(body)
	a.items = append(a.items, item{}) // not on the stack, to which formField may not point
	it := &a.items[0]
	if !a.json.form(it.formField) || it.age != nil && !it.setAge(it.age) || it.token == nil || it.action == nil {
		return malformedAction
	}
	return noProblem
}

// formField is field for forms.
func (it *item) formField(name []byte) *[]byte {
	if string(name) == "age_ms" {
		return &it.age
	}
	return it.field(name)
}

// form reads an application/x-www-form-urlencoded body. field returns where the value of
// a name belongs, nil if it is none of ours. It reports false if one of ours is there
// twice or is not encoded so.
func (r *reader) form(field func(name []byte) *[]byte) bool {
	body := r.src
	for more := true; more; {
		var pair []byte
		pair, body, more = bytes.Cut(body, ampersand)
		if !r.addPair(pair, field) {
			return false
		}
	}
	return true
}

// addPair takes one name=value.
func (r *reader) addPair(pair []byte, field func(name []byte) *[]byte) bool {
	name, value, _ := bytes.Cut(pair, equals)
	name, ok := r.unescape(name)
	if !ok {
		return true // no name of ours
	}
	to := field(name)
	if to == nil {
		return true
	}
	if value, ok = r.unescape(value); !ok || *to != nil {
		return false
	}
	if value == nil {
		value = empty // it is there
	}
	*to = value
	return true
}

// unescape decodes s into the buffer of the body's strings.
func (r *reader) unescape(s []byte) (decoded []byte, ok bool) {
	r.buf, decoded, ok = unescape(r.buf, s)
	return decoded, ok
}

var (
	ampersand = []byte{'&'}
	equals    = []byte{'='}
	empty     = []byte{}
)
