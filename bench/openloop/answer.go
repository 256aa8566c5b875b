//go:build linux

package openloop

import (
	"bytes"
	"errors"
)

// answer is one HTTP/1.1 answer.
type answer struct {
	status int
	body   []byte
	close  bool // the server closes the connection after it
}

var (
	errPartial   = errors.New("the answer goes on")
	errMalformed = errors.New("no HTTP/1.1 answer with a Content-Length")

	version       = []byte("HTTP/1.1 ")
	headerEnd     = []byte("\r\n\r\n")
	lineEnd       = []byte("\r\n")
	contentLength = []byte("content-length")
	connection    = []byte("connection")
	transfer      = []byte("transfer-encoding")
	closes        = []byte("close")
)

// maxAnswer is the most bytes that an answer may have.
const maxAnswer = 1 << 20

// parse reads the answer at the start of b and returns what it takes of it.
// It returns errPartial if more has to be read, errMalformed if that is no
// use. Of the fields it knows only those which say where the answer ends.
func parse(b []byte) (a answer, size int, err error) {
	head := bytes.Index(b, headerEnd)
	if head < 0 {
		if len(b) >= maxAnswer || !bytes.HasPrefix(b, version[:min(len(b), len(version))]) {
			return a, 0, errMalformed
		}
		return a, 0, errPartial
	}
	if a.status, err = parseStatus(b[:head]); err != nil {
		return a, 0, err
	}
	length, err := a.fields(b[:head])
	if err != nil {
		return a, 0, err
	}
	size = head + len(headerEnd) + length
	if len(b) < size {
		return a, 0, errPartial
	}
	a.body = b[head+len(headerEnd) : size]
	return a, size, nil
}

// parseStatus reads the status of a status line.
func parseStatus(line []byte) (status int, err error) {
	if !bytes.HasPrefix(line, version) || len(line) < len(version)+3 {
		return 0, errMalformed
	}
	for _, digit := range line[len(version) : len(version)+3] {
		if digit < '0' || digit > '9' {
			return 0, errMalformed
		}
		status = 10*status + int(digit-'0')
	}
	return status, nil
}

// fields reads the fields below the status line and returns the length of the body.
func (a *answer) fields(head []byte) (length int, err error) {
	length = -1
	if a.status == 204 || a.status == 304 {
		length = 0
	}
	for line := head; ; {
		at := bytes.Index(line, lineEnd)
		if at < 0 {
			break
		}
		line = line[at+2:]
		// Most fields are neither: one look at the first letter and the length
		// of the name tells.
		switch {
		case field(line, contentLength):
			if length, err = parseLength(line[len(contentLength)+1:]); err != nil {
				return 0, err
			}
		case field(line, connection):
			value, _, _ := bytes.Cut(line[len(connection)+1:], lineEnd)
			a.close = bytes.EqualFold(bytes.TrimSpace(value), closes)
		case field(line, transfer):
			return 0, errMalformed
		}
	}
	if length < 0 || length > maxAnswer {
		return 0, errMalformed
	}
	return length, nil
}

// field reports whether a line is that of a field, whose name is in lower case.
func field(line, name []byte) bool {
	return len(line) > len(name) && line[len(name)] == ':' && line[0]|0x20 == name[0] && bytes.EqualFold(line[:len(name)], name)
}

// parseLength reads decimal digits between spaces, up to the end of the line.
func parseLength(b []byte) (int, error) {
	value, _, _ := bytes.Cut(b, lineEnd)
	value = bytes.TrimSpace(value)
	if len(value) == 0 || len(value) > 9 {
		return 0, errMalformed
	}
	n := 0
	for _, digit := range value {
		if digit < '0' || digit > '9' {
			return 0, errMalformed
		}
		n = 10*n + int(digit-'0')
	}
	return n, nil
}
