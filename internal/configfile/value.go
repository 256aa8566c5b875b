package configfile

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// mark is where something begins in a file: line and column count from 1, columns in
// characters. The zero value is nowhere in the file.
type mark struct{ line, column int }

func (m mark) compare(other mark) int {
	if m.line != other.line {
		return m.line - other.line
	}
	return m.column - other.column
}

type kind uint8

const (
	scalar kind = iota
	list
	object
)

// value is a value of a document, and where it begins.
type value struct {
	kind    kind
	mark    mark
	json    []byte   // of a scalar
	members []member // of an object or a list, in the order of the file
}

type member struct {
	name  string // of a list's element: empty
	json  []byte // the name as JSON, where that says more than name
	mark  mark   // of the name
	value *value
}

func (v *value) get(name string) (*value, bool) {
	for _, m := range v.members {
		if v.kind == object && m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// text returns what a string says, empty for anything else.
func (v *value) text() (text string) {
	if v.kind == scalar {
		_ = json.Unmarshal(v.json, &text) // it is JSON, and maybe no string
	}
	return text
}

// without returns an object without these members.
func (v *value) without(names []string) *value {
	rest := *v
	rest.members = slices.DeleteFunc(slices.Clone(v.members), func(m member) bool { return slices.Contains(names, m.name) })
	return &rest
}

// only returns an object without all other members.
func (v *value) only(names ...string) *value {
	rest := *v
	rest.members = slices.DeleteFunc(slices.Clone(v.members), func(m member) bool { return !slices.Contains(names, m.name) })
	return &rest
}

// appendJSON appends the value as JSON.
func (v *value) appendJSON(dst []byte) []byte {
	switch v.kind {
	case scalar:
		return append(dst, v.json...)
	case list:
		dst = append(dst, '[')
		for i, m := range v.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = m.value.appendJSON(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i, m := range v.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		if m.json != nil {
			dst = append(dst, m.json...)
		} else {
			dst = append(dst, quote(m.name)...)
		}
		dst = append(dst, ':')
		dst = m.value.appendJSON(dst)
	}
	return append(dst, '}')
}

// closest returns the value that a JSON pointer leads to or, if it is not there, the closest
// one around it; and where that is: of a member the place of its name.
func (v *value) closest(pointer string) (*value, mark) {
	at := v.mark
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		i := v.index(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		if i < 0 {
			break
		}
		if v.kind == object {
			at = v.members[i].mark
		} else {
			at = v.members[i].value.mark
		}
		v = v.members[i].value
	}
	return v, at
}

// index returns which member has the name, or is at the index, -1 if none.
func (v *value) index(step string) int {
	switch v.kind {
	case object:
		return slices.IndexFunc(v.members, func(m member) bool { return m.name == step })
	case list:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v.members) {
			return i
		}
	}
	return -1
}

// quote returns text as JSON.
func quote(text string) []byte {
	b, _ := json.Marshal(text) // a string is always fit to be JSON
	return b
}

// Printable takes out of what a file or a server says whatever would do something to a
// terminal.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, text)
}
