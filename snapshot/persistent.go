package snapshot

import (
	"cmp"
	"slices"
)

// tree is an immutable map, of which a copy with a change shares all but a few hundred bytes
// with it: a hash array mapped trie (Bagwell 2001). The zero value is empty.
type tree[K comparable, V any] struct {
	root *node[K, V]
	size int
}

// node is a leaf with few entries, or has children by the next bits of the hash.
type node[K comparable, V any] struct {
	children *[treeWidth]*node[K, V] // nil: a leaf
	entries  []entry[K, V]
}

type entry[K comparable, V any] struct {
	hash  uint64
	key   K
	value V
}

const (
	treeBits  = 4
	treeWidth = 1 << treeBits
	maxLeaf   = 8 // entries, but for hashes that are equal to the last bit
)

// leaf returns the leaf in which a key of this hash is, if it is; nil is an empty one.
func (t *tree[K, V]) leaf(hash uint64) *node[K, V] {
	n := t.root
	for shift := 0; n != nil && n.children != nil; shift += treeBits {
		n = n.children[hash>>shift%treeWidth]
	}
	return n
}

// get returns the value of a key, the zero value if there is none.
func (t *tree[K, V]) get(hash uint64, key K) (value V) {
	if n := t.leaf(hash); n != nil {
		for i := range n.entries {
			if e := &n.entries[i]; e.hash == hash && e.key == key {
				return e.value
			}
		}
	}
	return value
}

// with returns the map with these values of keys, all of which are different.
func (t tree[K, V]) with(values ...entry[K, V]) tree[K, V] {
	if len(values) == 0 {
		return t
	}
	root, grown := t.root.with(values, 0)
	return tree[K, V]{root, t.size + grown}
}

// without returns the map without the key.
func (t tree[K, V]) without(hash uint64, key K) tree[K, V] {
	root, shrunk := t.root.without(hash, key, 0)
	if shrunk {
		t.size--
	}
	return tree[K, V]{root, t.size}
}

// with reorders values.
func (n *node[K, V]) with(values []entry[K, V], shift int) (_ *node[K, V], grown int) {
	if n == nil {
		n = &node[K, V]{}
	}
	if n.children == nil {
		entries := make([]entry[K, V], len(n.entries), len(n.entries)+len(values))
		copy(entries, n.entries)
		for _, e := range values {
			if i := slices.IndexFunc(entries[:len(n.entries)], func(old entry[K, V]) bool { return old.key == e.key }); i >= 0 {
				entries[i] = e
				continue
			}
			entries = append(entries, e)
		}
		grown = len(entries) - len(n.entries)
		if len(entries) <= maxLeaf || shift >= 64 {
			return &node[K, V]{entries: entries}, grown
		}
		grown -= len(entries) // all of which the children count
		n, values = &node[K, V]{children: new([treeWidth]*node[K, V])}, entries
	} else {
		children := *n.children
		n = &node[K, V]{children: &children}
	}
	child := func(e entry[K, V]) int { return int(e.hash >> shift % treeWidth) }
	slices.SortFunc(values, func(a, b entry[K, V]) int { return cmp.Compare(child(a), child(b)) })
	for len(values) > 0 {
		i, end := child(values[0]), 1
		for end < len(values) && child(values[end]) == i {
			end++
		}
		var more int
		n.children[i], more = n.children[i].with(values[:end], shift+treeBits)
		values = values[end:]
		grown += more
	}
	return n, grown
}

func (n *node[K, V]) without(hash uint64, key K, shift int) (_ *node[K, V], shrunk bool) {
	if n == nil {
		return nil, false
	}
	if n.children != nil {
		i := hash >> shift % treeWidth
		child, shrunk := n.children[i].without(hash, key, shift+treeBits)
		if !shrunk {
			return n, false
		}
		children := *n.children
		children[i] = child
		for _, c := range children {
			if c != nil {
				return &node[K, V]{children: &children}, true
			}
		}
		return nil, true
	}
	for i := range n.entries {
		if n.entries[i].key != key {
			continue
		}
		if len(n.entries) == 1 {
			return nil, true
		}
		entries := make([]entry[K, V], 0, len(n.entries)-1)
		return &node[K, V]{entries: append(append(entries, n.entries[:i]...), n.entries[i+1:]...)}, true
	}
	return n, false
}

// each calls f for every value, in no order.
func (t *tree[K, V]) each(f func(V)) { t.root.each(f) }

func (n *node[K, V]) each(f func(V)) {
	if n == nil {
		return
	}
	if n.children != nil {
		for _, c := range n.children {
			c.each(f)
		}
	}
	for i := range n.entries {
		f(n.entries[i].value)
	}
}
