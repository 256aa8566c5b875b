package popup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Difference is a member of a JSON document that another version of it does not have, or
// has with another value.
type Difference struct {
	Pointer string          `json:"pointer"`        // JSON pointer (RFC 6901); of what was removed, into the document of before
	From    json.RawMessage `json:"from,omitempty"` // absent: it was not there
	To      json.RawMessage `json:"to,omitempty"`   // absent: it is there no more
}

// Diff returns how a JSON document differs from the one before, such as two specs of
// [Spec.Encode]. Objects are compared member by member. Of arrays what is the same at both
// ends is left out. Objects that have a key, such as variants, are then compared by key; a
// rest that is as long as before is compared element by element; in any other rest, elements
// are removed and added. Objects with keys that are in another order are one value.
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
	if isList && otherIsList {
		d.compareElements(at, list, other)
		return
	}
	d.found = append(d.found, Difference{at, d.encode(from), d.encode(to)})
}

func (d *differ) compareElements(at string, from, to []any) {
	first := 0
	for first < min(len(from), len(to)) && reflect.DeepEqual(from[first], to[first]) {
		first++
	}
	endFrom, endTo := len(from), len(to)
	for endFrom > first && endTo > first && reflect.DeepEqual(from[endFrom-1], to[endTo-1]) {
		endFrom, endTo = endFrom-1, endTo-1
	}
	was, wasAt := keysOf(from[first:endFrom])
	is, isAt := keysOf(to[first:endTo])
	if wasAt == nil || isAt == nil { // without keys: those at the same index are taken for the same
		if endFrom == endTo {
			for i := first; i < endFrom; i++ {
				d.compare(index(at, i), from[i], to[i])
			}
			return
		}
		was, is, wasAt, isAt = nil, nil, nil, nil
	}
	if !slices.Equal(common(was, isAt), common(is, wasAt)) { // in another order
		d.found = append(d.found, Difference{at, d.encode(from), d.encode(to)})
		return
	}
	for i := first; i < endFrom; i++ {
		isThere := false
		if was != nil {
			_, isThere = isAt[was[i-first]]
		}
		if !isThere {
			d.found = append(d.found, Difference{Pointer: index(at, i), From: d.encode(from[i])})
		}
	}
	for i := first; i < endTo; i++ {
		before, wasThere := 0, false
		if is != nil {
			before, wasThere = wasAt[is[i-first]]
		}
		if wasThere {
			d.compare(index(at, i), from[first+before], to[i])
		} else {
			d.found = append(d.found, Difference{Pointer: index(at, i), To: d.encode(to[i])})
		}
	}
}

// keysOf returns the keys of the objects of an array, and where each is; nil if one of the
// elements has none, or not one of its own.
func keysOf(list []any) (keys []string, at map[string]int) {
	at = make(map[string]int, len(list))
	for i, v := range list {
		o, _ := v.(map[string]any)
		key, ok := o["key"].(string)
		if _, twice := at[key]; !ok || twice {
			return nil, nil
		}
		keys, at[key] = append(keys, key), i
	}
	return keys, at
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
		pointer := at + "/" + escapePointer(name)
		a, was := from[name]
		b, is := to[name]
		switch {
		case !was:
			d.found = append(d.found, Difference{Pointer: pointer, To: d.encode(b)})
		case !is:
			d.found = append(d.found, Difference{Pointer: pointer, From: d.encode(a)})
		default:
			d.compare(pointer, a, b)
		}
	}
}

// common returns those of keys that others has, too.
func common(keys []string, others map[string]int) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		_, ok := others[key]
		return !ok
	})
}

func (d *differ) encode(v any) json.RawMessage {
	b, err := appendJSON(nil, v)
	if err != nil {
		d.err = err
	}
	return b
}
