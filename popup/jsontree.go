package popup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	p := treeParser{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	p.dec.UseNumber()
	tree, err := p.value()
	if err != nil {
		p.errs = FieldErrors{{Detail: err.Error()}}
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

type treeParser struct {
	data []byte
	dec  *json.Decoder
	path []string // reference tokens down to the value being read
	errs FieldErrors
}

var errDepth = fmt.Errorf("is nested deeper than %d levels", MaxDepth)

func (p *treeParser) value() (any, error) {
	start := p.dec.InputOffset()
	tok, err := p.dec.Token()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if _, ok := tok.(string); ok {
		p.checkText(start)
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if len(p.path) >= MaxDepth {
		return nil, errDepth
	}
	if delim == '[' {
		return p.array()
	}
	return p.object()
}

// checkText adds an error at p.path if the string that was just read, the only one
// since start, has half of a surrogate pair in it.
func (p *treeParser) checkText(start int64) {
	if hasLoneSurrogate(p.data[start:p.dec.InputOffset()]) {
		p.errs.add(p.pointer(), `has half of a surrogate pair, as in "\ud800"`)
	}
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

func (p *treeParser) pointer() string {
	if len(p.path) == 0 {
		return ""
	}
	return "/" + strings.Join(p.path, "/")
}

func (p *treeParser) array() ([]any, error) {
	list := []any{}
	for p.dec.More() {
		p.path = append(p.path, strconv.Itoa(len(list)))
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		list = append(list, v)
	}
	_, err := p.dec.Token() // the bracket
	return list, err
}

func (p *treeParser) object() (map[string]any, error) {
	members := map[string]any{}
	for p.dec.More() {
		start := p.dec.InputOffset()
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		name := tok.(string) // the decoder allows nothing else here
		p.path = append(p.path, escapePointer(name))
		p.checkText(start)
		if _, twice := members[name]; twice {
			p.errs.add(p.pointer(), "occurs twice")
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		members[name] = v
	}
	_, err := p.dec.Token() // the brace
	return members, err
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer returns name as one reference token of a JSON pointer.
func escapePointer(name string) string { return pointerEscaper.Replace(name) }
