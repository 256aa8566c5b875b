package popup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseTree reads one JSON document into maps, slices, strings, json.Number,
// bools and nil. Unlike encoding/json it refuses a member that occurs twice and
// bytes that are not UTF-8, both of which would be changed silently.
func parseTree(data []byte) (any, FieldErrors) {
	var whole json.RawMessage
	if !utf8.Valid(data) {
		return nil, FieldErrors{{Detail: "is not UTF-8"}}
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, FieldErrors{{Detail: syntaxDetail(data, err)}}
	}
	p := treeParser{dec: json.NewDecoder(bytes.NewReader(data))}
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
	dec  *json.Decoder
	path []string // reference tokens down to the value being read
	errs FieldErrors
}

var errDepth = fmt.Errorf("is nested deeper than %d levels", MaxDepth)

func (p *treeParser) value() (any, error) {
	tok, err := p.dec.Token()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
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
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		name := tok.(string) // the decoder allows nothing else here
		p.path = append(p.path, escapePointer(name))
		if _, twice := members[name]; twice {
			p.errs.add("/"+strings.Join(p.path, "/"), "occurs twice")
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
