package handler

import "bytes"

// parseQuery reads a query string. Unknown parameters are ignored, of several with
// one name the first counts, but for attributes, which are sets then. An empty value is a
// missing one. It returns noProblem, or what is wrong with the query.
func (q *pollRequest) parseQuery(raw []byte) problem {
	q.reset()
	q.json.reset(nil)
	escape := nextEscape(raw, 0)
	if escape < len(raw) && cap(q.json.buf) < len(raw) {
		q.json.buf = make([]byte, 0, max(1024, len(raw))) // does not grow bit by bit
	}
	for start, end := 0, 0; start < len(raw); start = end + 1 {
		if end = bytes.IndexByte(raw[start:], '&'); end < 0 {
			end = len(raw)
		} else {
			end += start
		}
		escaped := escape < end
		if escaped {
			escape = nextEscape(raw, end)
		}
		if p := q.add(raw[start:end], escaped); p != noProblem {
			return p
		}
	}
	if len(q.places[0]) > 0 {
		q.Placements = q.places[:1]
	}
	return q.checkIDs()
}

// add takes one name=value, of which something may be escaped.
func (q *pollRequest) add(pair []byte, escaped bool) problem {
	name, value := pair, []byte(nil)
	if i := bytes.IndexByte(pair, '='); i >= 0 {
		name, value = pair[:i], pair[i+1:]
	}
	if escaped {
		var ok bool
		if name, ok = q.decode(name); !ok {
			return noProblem // no name of ours
		}
	}
	field, p := q.field(name)
	if field == nil {
		return p
	}
	if escaped {
		var ok bool
		if value, ok = q.decode(value); !ok {
			return invalidQuery
		}
	}
	*field = value
	return noProblem
}

// field returns where the value of a parameter belongs, nil if the parameter is
// not known, has been seen before, or is one value of attributes too many.
func (q *pollRequest) field(name []byte) (*[]byte, problem) {
	field, bit := q.builtIn(name)
	if field == nil {
		if string(name) != "placement" {
			return q.attr(name)
		}
		field, bit = &q.places[0], seenPlacement
	}
	if q.seen&bit != 0 {
		return nil, noProblem
	}
	q.seen |= bit
	return field, noProblem
}

// attr is field for an attribute, a.NAME.
func (q *pollRequest) attr(name []byte) (*[]byte, problem) {
	if len(name) <= 2 || name[0] != 'a' || name[1] != '.' {
		return nil, noProblem
	}
	a := q.addAttr(name[2:])
	if a == nil {
		return nil, tooManyAttributes
	}
	return &a.Value, noProblem
}

// nextEscape returns where the first byte at or after from is that has to be
// decoded, len(raw) or more if there is none.
func nextEscape(raw []byte, from int) int {
	percent, plus := bytes.IndexByte(raw[from:], '%'), bytes.IndexByte(raw[from:], '+')
	if percent < 0 {
		percent = len(raw)
	}
	if plus < 0 {
		plus = len(raw)
	}
	return from + min(percent, plus)
}

// decode decodes s into the request's buffer.
func (q *pollRequest) decode(s []byte) (decoded []byte, ok bool) {
	q.json.buf, decoded, ok = unescape(q.json.buf, s)
	return decoded, ok
}

// unescape returns s without its percent-encoding and with spaces for plus
// signs: s itself if there is nothing to decode, else what it appends to buf. It
// reports false if a percent sign is not followed by two hex digits.
func unescape(buf, s []byte) (_, decoded []byte, ok bool) {
	if bytes.IndexByte(s, '%') < 0 && bytes.IndexByte(s, '+') < 0 {
		return buf, s, true
	}
	start := len(buf)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if i+2 >= len(s) {
				return buf, nil, false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi|lo > 0xf {
				return buf, nil, false
			}
			c = hi<<4 | lo
			i += 2
		}
		buf = append(buf, c)
	}
	return buf, buf[start:len(buf):len(buf)], true
}

// unhex returns the value of a hex digit, 0xff for another byte.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
