package popup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parseTree reads one JSON document into objects, slices, strings, json.Number,
// bools and nil. Unlike encoding/json it rejects a member that occurs twice,
// bytes that are not UTF-8 and half a surrogate pair, all of which would be
// changed silently.
func parseTree(data []byte) (any, FieldErrors) {
	if !utf8.Valid(data) {
		return nil, FieldErrors{{Detail: "is not UTF-8"}}
	}
	if !json.Valid(data) {
		return nil, FieldErrors{{Detail: syntaxDetail(data)}}
	}
	p := treeParser{data: data}
	if len(data) <= maxShared {
		p.shared = string(data)
	}
	tree := p.value()
	if p.isTooDeep {
		return nil, FieldErrors{{Detail: fmt.Sprintf("is nested deeper than %d levels", MaxDepth)}}
	}
	return tree, p.errs
}

// syntaxDetail says why data is not JSON.
func syntaxDetail(data []byte) string {
	if len(bytes.TrimSpace(data)) == 0 {
		return "is empty: a JSON object is wanted"
	}
	var whole json.RawMessage
	err := json.Unmarshal(data, &whole)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("is not JSON: %v (byte %d)", err, syntax.Offset)
	}
	return fmt.Sprintf("is not JSON: %v", err)
}

// maxShared is the size of a document, in bytes, up to which its texts are parts of one copy:
// one allocation for all of them, that is kept for as long as any.
const maxShared = 4 << 10

// treeParser reads a document that is known to be JSON. Package json takes several times as
// long, and all servers read thousands of popups when they start.
type treeParser struct {
	data      []byte
	shared    string // a copy of data, of which texts are parts; empty: each is on its own
	at        int
	path      path   // of the value that is being read
	members   object // of the objects that are being read, the outer ones first
	elements  []any  // of the arrays that are being read, the outer ones first
	errs      FieldErrors
	isTooDeep bool
}

// object is the members of an object of JSON, in the order of the document. Most have few: a
// map would take longer.
type object []namedValue

type namedValue struct {
	name  string
	value any
}

func (o object) get(name string) (value any, ok bool) {
	for i := range o {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// plain returns a value of a tree with maps for objects, as package json reads it.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		return v.plain()
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

func (o object) plain() map[string]any {
	m := make(map[string]any, len(o))
	for _, member := range o {
		m[member.name] = plain(member.value)
	}
	return m
}

func (p *treeParser) skipSpace() {
	for p.at < len(p.data) && (p.data[p.at] == ' ' || p.data[p.at] == '\t' || p.data[p.at] == '\n' || p.data[p.at] == '\r') {
		p.at++
	}
}

func (p *treeParser) value() any {
	p.skipSpace()
	switch c := p.data[p.at]; c {
	case '"':
		return p.text()
	case '{', '[':
		if len(p.path) >= MaxDepth || p.isTooDeep {
			p.isTooDeep, p.at = true, len(p.data)
			return nil
		}
		if c == '{' {
			return p.object()
		}
		return p.array()
	case 't':
		p.at += len("true")
		return true
	case 'f':
		p.at += len("false")
		return false
	case 'n':
		p.at += len("null")
		return nil
	}
	start := p.at
	for p.at < len(p.data) && strings.IndexByte("+-.eE0123456789", p.data[p.at]) >= 0 {
		p.at++
	}
	return json.Number(p.data[start:p.at])
}

// text reads a string. It adds an error at p.path if half of a surrogate pair is in it.
func (p *treeParser) text() string {
	start, isPlain := p.at, true
	for p.at++; p.data[p.at] != '"'; p.at++ {
		if p.data[p.at] == '\\' {
			isPlain = false
			p.at++
		}
	}
	p.at++
	quoted := p.data[start:p.at]
	switch {
	case isPlain && p.shared != "":
		return p.shared[start+1 : p.at-1]
	case isPlain:
		return string(quoted[1 : len(quoted)-1])
	}
	return p.unquote(quoted)
}

// unquote reads a string of JSON that has escapes.
func (p *treeParser) unquote(quoted []byte) (text string) {
	if hasLoneSurrogate(quoted) {
		p.errs.add(p.path.pointer(), `has half of a surrogate pair, as in "\ud800"`)
	}
	json.Unmarshal(quoted, &text) // it is JSON
	return text
}

// next goes past the bracket or comma before an element, and reports whether there is one
// before the end.
func (p *treeParser) next(end byte) bool {
	if p.skipSpace(); p.at >= len(p.data) { // nested too deeply
		return false
	}
	if p.data[p.at] != end {
		p.at++
		p.skipSpace()
	}
	if p.data[p.at] == end {
		p.at++
		return false
	}
	return true
}

func (p *treeParser) array() []any {
	first := len(p.elements)
	p.path = append(p.path, step{})
	for p.next(']') {
		p.path[len(p.path)-1].index = len(p.elements) - first
		v := p.value()
		p.elements = append(p.elements, v)
	}
	p.path = p.path[:len(p.path)-1]
	list := append(make([]any, 0, len(p.elements)-first), p.elements[first:]...)
	p.elements = p.elements[:first]
	return list
}

// manyMembers is from how many members on an object has a set of their names.
const manyMembers = 32

func (p *treeParser) object() object {
	first := len(p.members)
	var names map[string]bool // nil: they are few
	for p.next('}') {
		// An error in the name is one of the member, which is told by what can be read of it.
		p.path = append(p.path, step{index: -1})
		own := len(p.path) - 1
		before := len(p.errs)
		name := p.text()
		p.path[own].name = name
		if len(p.errs) > before {
			p.errs = p.errs[:before]
			p.errs.add(p.path.pointer(), `has half of a surrogate pair, as in "\ud800"`)
		}
		var twice bool
		if len(p.members)-first < manyMembers {
			_, twice = p.members[first:].get(name)
		} else {
			if names == nil {
				names = make(map[string]bool, 2*manyMembers)
				for _, m := range p.members[first:] {
					names[m.name] = true
				}
			}
			twice = names[name]
			names[name] = true
		}
		if twice {
			p.errs.add(p.path.pointer(), "occurs twice")
		}
		p.skipSpace()
		p.at++ // the colon
		v := p.value()
		p.members = append(p.members, namedValue{name, v})
		p.path = p.path[:own]
	}
	o := append(make(object, 0, len(p.members)-first), p.members[first:]...)
	p.members = p.members[:first]
	return o
}

// hasLoneSurrogate reports whether a string of JSON has an escape that is one half
// of a surrogate pair without the other.
func hasLoneSurrogate(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		text = text[i:]
		r, n := rune(0), 2
		if text[1] == 'u' {
			r, n = unescape(text), 6
		}
		text = text[n:]
		if !utf16.IsSurrogate(r) {
			continue
		}
		if !bytes.HasPrefix(text, []byte(`\u`)) || utf16.DecodeRune(r, unescape(text)) == utf8.RuneError {
			return true
		}
		text = text[6:]
	}
}

// unescape returns the code unit of the escape \uXXXX that text begins with.
func unescape(text []byte) rune {
	unit, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // the decoder has read it
	return rune(unit)
}

// path leads to a value of a document.
type path []step

// step is a member of an object or, if index is not negative, an element of an array.
type step struct {
	name  string
	index int
}

// pointer returns the path as a JSON pointer.
func (p path) pointer() string {
	var b strings.Builder
	for _, s := range p {
		b.WriteByte('/')
		if s.index >= 0 {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(escapePointer(s.name))
		}
	}
	return b.String()
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer returns name as one reference token of a JSON pointer.
func escapePointer(name string) string { return pointerEscaper.Replace(name) }
