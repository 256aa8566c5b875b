package handler

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// reader is a strict JSON reader (RFC 8259) over one body. It allocates only
// when a string with escapes does not fit into its buffer any more. Every
// method reads one thing at the current position and reports false if it is
// not there; then the body is malformed and the reader is of no further use.
//
// As encoding/json does, it takes bytes that are not UTF-8 inside strings, and
// reads half a surrogate pair as U+FFFD.
type reader struct {
	src []byte
	pos int
	buf []byte // strings that had escapes
}

// maxNesting is how deep a value that is skipped may nest.
const maxNesting = 64

func (r *reader) reset(src []byte) { r.src, r.pos, r.buf = src, 0, r.buf[:0] }

// peek returns the next byte that is not white space, 0 at the end.
func (r *reader) peek() byte {
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// is reads the byte c after white space.
func (r *reader) is(c byte) bool {
	if r.pos < len(r.src) && r.src[r.pos] == c { // most JSON has no white space
		r.pos++
		return true
	}
	if r.peek() != c || r.pos == len(r.src) {
		return false
	}
	r.pos++
	return true
}

// end reports whether only white space is left.
func (r *reader) end() bool {
	r.peek()
	return r.pos == len(r.src)
}

// text reads a string. It refers to the body, or to the reader's buffer if it
// had escapes.
func (r *reader) text() (s []byte, ok bool) {
	if !r.is('"') {
		return nil, false
	}
	rest, n := r.src[r.pos:], 0
	for ; len(rest)-n >= 8; n += 8 { // at a time: a string of a poll is seldom longer
		if found := specials(binary.LittleEndian.Uint64(rest[n:])); found != 0 {
			n += bits.TrailingZeros64(found) / 8
			break
		}
	}
	for ; n < len(rest); n++ {
		switch c := rest[n]; {
		case c == '"':
			r.pos += n + 1
			return rest[:n], true
		case c == '\\':
			start := r.pos
			r.pos += n
			return r.escaped(start)
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// specials looks for quotes, backslashes and control characters in eight bytes. The
// lowest bit of what it returns is in the first of them; those above it may be wrong.
func specials(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, backslash := w^'"'*ones, w^'\\'*ones // have a zero where w has one
	return ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-' '*ones)&^w) & highs
}

// escaped reads on in a string that began at start, from its first escape.
func (r *reader) escaped(start int) (s []byte, ok bool) {
	from := len(r.buf)
	r.buf = append(r.buf, r.src[start:r.pos]...)
	for r.pos < len(r.src) {
		c := r.src[r.pos]
		r.pos++
		switch {
		case c == '"':
			return r.buf[from:len(r.buf):len(r.buf)], true
		case c < ' ':
			return nil, false
		case c != '\\':
			r.buf = append(r.buf, c)
			continue
		}
		if r.pos == len(r.src) {
			return nil, false
		}
		c = r.src[r.pos]
		r.pos++
		switch c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			u, ok := r.hex4()
			if !ok {
				return nil, false
			}
			if utf16.IsSurrogate(u) {
				u = r.pair(u)
			}
			r.buf = utf8.AppendRune(r.buf, u)
			continue
		default:
			return nil, false
		}
		r.buf = append(r.buf, c)
	}
	return nil, false
}

// pair returns the character of the surrogate hi and the escape after it,
// which it reads only if it is the other half.
func (r *reader) pair(hi rune) rune {
	pos := r.pos
	if pos+1 < len(r.src) && r.src[pos] == '\\' && r.src[pos+1] == 'u' {
		r.pos += 2
		if lo, ok := r.hex4(); ok {
			if u := utf16.DecodeRune(hi, lo); u != utf8.RuneError {
				return u
			}
		}
		r.pos = pos
	}
	return utf8.RuneError
}

// hex4 reads four hex digits.
func (r *reader) hex4() (u rune, ok bool) {
	if r.pos+4 > len(r.src) {
		return 0, false
	}
	for _, c := range r.src[r.pos : r.pos+4] {
		h := unhex(c)
		if h > 0xf {
			return 0, false
		}
		u = u<<4 | rune(h)
	}
	r.pos += 4
	return u, true
}

// skip reads any value.
func (r *reader) skip() bool {
	var n nesting
	for {
		opened, ok := r.enter(&n)
		if !ok {
			return false
		}
		if opened {
			continue
		}
		if over, ok := r.leave(&n); over || !ok {
			return ok
		}
	}
}

// value reads any value and returns it as it was written.
func (r *reader) value() (raw []byte, ok bool) {
	r.peek()
	start := r.pos
	ok = r.skip()
	return r.src[start:r.pos], ok
}

// enter reads a value as far as the next one in it. It reports whether there is one.
func (r *reader) enter(n *nesting) (opened, ok bool) {
	switch c := r.peek(); c {
	case '{', '[':
		if !n.push(c == '{') {
			return false, false
		}
		r.pos++
		if r.peek() == n.end() {
			return false, true
		}
		return true, !n.inObject() || r.name()
	case '"':
		_, ok := r.text()
		return false, ok
	}
	return false, r.scalar()
}

// leave reads what comes after a value: the ends of those it is in, as far as the
// next value in one of them. It reports whether all have ended.
func (r *reader) leave(n *nesting) (over, ok bool) {
	for n.depth > 0 {
		if r.is(',') {
			return false, !n.inObject() || r.name()
		}
		if !r.is(n.end()) {
			return false, false
		}
		n.pop()
	}
	return true, true
}

// nesting is the objects and arrays that a reader is in.
type nesting struct {
	depth   int
	objects uint64 // one bit for each, the lowest is the innermost: 1 is an object
}

func (n *nesting) push(object bool) bool {
	if n.depth == maxNesting {
		return false
	}
	n.depth++
	n.objects <<= 1
	if object {
		n.objects |= 1
	}
	return true
}

func (n *nesting) pop() {
	n.depth--
	n.objects >>= 1
}

func (n *nesting) inObject() bool { return n.objects&1 != 0 }

// end returns the byte that ends the innermost.
func (n *nesting) end() byte {
	if n.inObject() {
		return '}'
	}
	return ']'
}

// name reads a member's name and the colon, of no interest.
func (r *reader) name() bool {
	_, ok := r.text()
	return ok && r.is(':')
}

// scalar reads a number, true, false or null.
func (r *reader) scalar() bool {
	rest := r.src[r.pos:]
	for _, word := range [...]string{"true", "false", "null"} {
		if len(rest) >= len(word) && string(rest[:len(word)]) == word {
			r.pos += len(word)
			return true
		}
	}
	r.one('-')
	if !r.one('0') && !r.digits() {
		return false
	}
	if r.one('.') && !r.digits() {
		return false
	}
	if r.one('e') || r.one('E') {
		if !r.one('+') {
			r.one('-')
		}
		return r.digits()
	}
	return true
}

// one reads the byte c with no white space before it.
func (r *reader) one(c byte) bool {
	if r.pos < len(r.src) && r.src[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// digits reads one digit or more.
func (r *reader) digits() bool {
	start := r.pos
	for r.pos < len(r.src) && '0' <= r.src[r.pos] && r.src[r.pos] <= '9' {
		r.pos++
	}
	return r.pos > start
}
