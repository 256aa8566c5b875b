package audience

import (
	"bufio"
	"errors"
	"io"
)

// csvState is where in a record the reader is.
type csvState int

const (
	atStart  csvState = iota // of a field
	bare                     // in a field without quotes
	quoted                   // in a field with quotes
	quoteEnd                 // behind a quote in there, which ends it or is the first of two
	skipping                 // in the rest of a line that is broken
)

// csvRecord is what is known of the record that is being read. It may be several lines long, if
// a field has line breaks.
type csvRecord struct {
	state csvState
	line  int  // in which it begins
	quote int  // line in which the field begins that is being read, if it has quotes
	later bool // the first field has ended
}

// readCSV is a parser of our own: that of encoding/csv keeps whole lines, however long they are.
func (u *Upload) readCSV(in *bufio.Reader) error {
	for end := false; !end; {
		u.nextLine()
		u.field = u.field[:0]
		r := csvRecord{line: u.line}
		for {
			c, err := in.ReadByte()
			if end = errors.Is(err, io.EOF); end || err == nil && c == '\n' && r.state != quoted {
				break
			}
			if err != nil {
				return err
			}
			u.readByte(&r, c)
			if c == '\n' {
				u.nextLine()
			}
		}
		if err := u.endRecord(&r); err != nil {
			return err
		}
	}
	return nil
}

func (u *Upload) readByte(r *csvRecord, c byte) {
	switch {
	case r.state == skipping:
	case r.state == quoted && c == '"':
		r.state = quoteEnd
	case r.state == quoted:
		u.keep(r, c)
	case c == ',':
		r.state, r.later = atStart, true
	case r.state == atStart && c == '"':
		r.state, r.quote = quoted, u.line
	case r.state == quoteEnd && c == '"':
		r.state = quoted
		u.keep(r, c)
	case r.state == quoteEnd && c == '\r': // of the end of the line
	case r.state == quoteEnd:
		u.refuse(u.line, afterQuote)
		r.state = skipping
	case c == '"':
		u.refuse(u.line, strayQuote)
		r.state = skipping
	default:
		r.state = bare
		u.keep(r, c)
	}
}

// keep adds a byte to the first field. An id that is too long needs no more than one byte more
// than it may have.
func (u *Upload) keep(r *csvRecord, c byte) {
	if !r.later && len(u.field) < cap(u.field) {
		u.field = append(u.field, c)
	}
}

func (u *Upload) endRecord(r *csvRecord) error {
	switch r.state {
	case skipping:
		return nil
	case quoted:
		u.refuse(r.quote, noLastQuote)
		return nil
	}
	if n := len(u.field); r.state == bare && !r.later && u.field[n-1] == '\r' {
		u.field = u.field[:n-1]
	}
	isEmpty := len(u.field) == 0 && !r.later && r.state != quoteEnd
	if isEmpty || r.line == 1 && isHeader(string(u.field)) {
		return nil
	}
	return u.add(r.line, u.field)
}
