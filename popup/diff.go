package popup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Difference is a member of a JSON document that another version of it does not have, or
// has with another value.
type Difference struct {
	Path string          `json:"path"`           // JSON pointer
	From json.RawMessage `json:"from,omitempty"` // absent: it was not there
	To   json.RawMessage `json:"to,omitempty"`   // absent: it is there no more
}

// Diff returns how a JSON document differs from the one before, by path, such as two specs
// of [Spec.Encode]. Objects are compared member by member, and arrays of objects that are
// as long as each other element by element; any other array is one value.
func Diff(before, after []byte) ([]Difference, error) {
	var d differ
	from, err := decodeTree(before)
	if err != nil {
		return nil, fmt.Errorf("read the document of before: %w", err)
	}
	to, err := decodeTree(after)
	if err != nil {
		return nil, fmt.Errorf("read the document of after: %w", err)
	}
	d.compare("", from, to)
	return d.found, d.err
}

func decodeTree(document []byte) (tree any, err error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber() // so that numbers are told as they were written
	err = d.Decode(&tree)
	return tree, err
}

type differ struct {
	found []Difference
	err   error
}

func (d *differ) compare(at string, from, to any) {
	if reflect.DeepEqual(from, to) {
		return
	}
	a, aIsObject := from.(map[string]any)
	b, bIsObject := to.(map[string]any)
	if aIsObject && bIsObject {
		d.compareMembers(at, a, b)
		return
	}
	list, isList := from.([]any)
	other, otherIsList := to.([]any)
	if isList && otherIsList && len(list) == len(other) && areObjects(list) && areObjects(other) {
		for i := range list {
			d.compare(at+"/"+strconv.Itoa(i), list[i], other[i])
		}
		return
	}
	d.found = append(d.found, Difference{at, d.encode(from), d.encode(to)})
}

func (d *differ) compareMembers(at string, from, to map[string]any) {
	names := make(map[string]bool, len(to))
	for name := range from {
		names[name] = true
	}
	for name := range to {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		path := at + "/" + escapePointer(name)
		a, was := from[name]
		b, is := to[name]
		switch {
		case !was:
			d.found = append(d.found, Difference{Path: path, To: d.encode(b)})
		case !is:
			d.found = append(d.found, Difference{Path: path, From: d.encode(a)})
		default:
			d.compare(path, a, b)
		}
	}
}

func areObjects(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(map[string]any); return !ok })
}

func (d *differ) encode(v any) json.RawMessage {
	b, err := appendJSON(nil, v)
	if err != nil {
		d.err = err
	}
	return b
}
