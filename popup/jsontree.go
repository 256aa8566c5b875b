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

// parseTree reads one JSON document into maps, slices, strings, json.Number,
// bools and nil. Unlike encoding/json it rejects a member that occurs twice,
// bytes that are not UTF-8 and half a surrogate pair, all of which would be
// changed silently.
func parseTree(data []byte) (any, FieldErrors) {
	var whole json.RawMessage
	if !utf8.Valid(data) {
		return nil, FieldErrors{{Detail: "is not UTF-8"}}
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, FieldErrors{{Detail: syntaxDetail(data, err)}}
	}
	p := treeParser{data: data}
	tree := p.value()
	if p.isTooDeep {
		return nil, FieldErrors{{Detail: fmt.Sprintf("is nested deeper than %d levels", MaxDepth)}}
	}
	return tree, p.errs
}

func syntaxDetail(data []byte, err error) string {
	if len(bytes.TrimSpace(data)) == 0 {
		return "is empty: a JSON object is wanted"
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("is not JSON: %v (byte %d)", err, syntax.Offset)
	}
	return fmt.Sprintf("is not JSON: %v", err)
}

// treeParser reads a document that is known to be JSON. Package json takes several times as
// long, and all servers read thousands of popups when they start.
type treeParser struct {
	data      []byte
	at        int
	path      []step // down to the value being read
	errs      FieldErrors
	isTooDeep bool
}

// step is a member of an object or, if index is not negative, an element of an array.
type step struct {
	name  string
	index int
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
func (p *treeParser) text() (text string) {
	start, isPlain := p.at, true
	for p.at++; p.data[p.at] != '"'; p.at++ {
		if p.data[p.at] == '\\' {
			isPlain = false
			p.at++
		}
	}
	p.at++
	quoted := p.data[start:p.at]
	if isPlain {
		return string(quoted[1 : len(quoted)-1])
	}
	if hasLoneSurrogate(quoted) {
		p.errs.add(p.pointer(), `has half of a surrogate pair, as in "\ud800"`)
	}
	json.Unmarshal(quoted, &text) // it is JSON
	return text
}

func (p *treeParser) pointer() string {
	var b strings.Builder
	for _, s := range p.path {
		b.WriteByte('/')
		if s.index >= 0 {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(escapePointer(s.name))
		}
	}
	return b.String()
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
	list := []any{}
	p.path = append(p.path, step{})
	for p.next(']') {
		p.path[len(p.path)-1].index = len(list)
		list = append(list, p.value())
	}
	p.path = p.path[:len(p.path)-1]
	return list
}

func (p *treeParser) object() map[string]any {
	members := map[string]any{}
	for p.next('}') {
		// An error in the name is one of the member, which is told by what can be read of it.
		p.path = append(p.path, step{index: -1})
		own := len(p.path) - 1
		before := len(p.errs)
		name := p.text()
		p.path[own].name = name
		if len(p.errs) > before {
			p.errs = p.errs[:before]
			p.errs.add(p.pointer(), `has half of a surrogate pair, as in "\ud800"`)
		}
		if _, twice := members[name]; twice {
			p.errs.add(p.pointer(), "occurs twice")
		}
		p.skipSpace()
		p.at++ // the colon
		members[name] = p.value()
		p.path = p.path[:own]
	}
	return members
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

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer returns name as one reference token of a JSON pointer.
func escapePointer(name string) string { return pointerEscaper.Replace(name) }
