package audience

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/popupd/popupd/popup"
)

// MaxBrokenLines is how many broken lines are told one by one.
const MaxBrokenLines = 100

// BrokenLinesError says which lines of an upload hold no user id.
type BrokenLinesError struct {
	Lines []popup.BrokenLine // the first of them
	Total int                // of all of them
}

func (e *BrokenLinesError) Error() string {
	return fmt.Sprintf("lines that hold no user id: %d, the first is line %d: %s", e.Total, e.Lines[0].Line, e.Lines[0].Detail)
}

// The details of broken lines.
const (
	notAnID     = "must be 1 to 128 bytes of UTF-8 without control characters"
	strayQuote  = "a field with a quote in it must be in quotes, with that one doubled"
	afterQuote  = "there is more behind the closing quote of a field"
	noLastQuote = "the quote that begins a field here is never closed"
)

// Upload reads user ids, one a line, and keeps their fingerprints. Lines end with LF or CRLF,
// the last one with the file too. Those that are empty are skipped, and so is a byte order mark
// at the beginning. Nothing is trimmed: spaces belong to an id.
//
// Of CSV (RFC 4180, with commas) the id is the first field, and a first line whose first field
// is uid or user_id is a header.
//
// It takes 8 bytes of memory an id, and no more whatever the lines hold.
type Upload struct {
	Key      Key
	CSV      bool
	Size     int64           // of the file, -1 if it is not known
	Progress func(lines int) // called now and then with how many lines were read; may be nil

	fingerprints []uint64
	ids          int // that were read, also those that were not kept
	broken       BrokenLinesError
	line         int    // that is being read
	field        []byte // the first one of a line of CSV
}

// Read reads to the end and returns the fingerprints, those of ids that occur twice twice. It
// returns a [*BrokenLinesError], [ErrTooMany] for more than [MaxMembers] ids, or the error of r.
func (u *Upload) Read(r io.Reader) ([]uint64, error) {
	// Memory that is not written to is not taken, so there is no need to grow.
	room := int64(MaxMembers)
	if u.Size >= 0 {
		room = min(room, u.Size/2+1)
	}
	u.fingerprints = make([]uint64, 0, room)
	u.field = make([]byte, 0, popup.MaxUserID+1+len("\r"))
	in := bufio.NewReaderSize(r, 256<<10)
	if mark, _ := in.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = in.Discard(len(mark)) // they were peeked
	}
	read := u.readPlain
	if u.CSV {
		read = u.readCSV
	}
	if err := read(in); err != nil {
		return nil, err
	}
	if u.broken.Total > 0 {
		return nil, &u.broken
	}
	return u.fingerprints, nil
}

// readPlain takes each line as an id.
func (u *Upload) readPlain(in *bufio.Reader) error {
	for end := false; !end; {
		u.nextLine()
		line, err := in.ReadSlice('\n')
		isLong := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if end = errors.Is(err, io.EOF); err != nil && !end {
			return err
		}
		if isLong {
			u.refuse(u.line, notAnID)
			continue
		}
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) == 0 {
			continue
		}
		if err := u.add(u.line, line); err != nil {
			return err
		}
	}
	return nil
}

// progressEvery is after how many lines Progress is called.
const progressEvery = 1 << 13

func (u *Upload) nextLine() {
	if u.line++; u.Progress != nil && u.line%progressEvery == 0 {
		u.Progress(u.line)
	}
}

// refuse notes that a line is broken.
func (u *Upload) refuse(line int, detail string) {
	if u.broken.Total++; u.broken.Total <= MaxBrokenLines {
		u.broken.Lines = append(u.broken.Lines, popup.BrokenLine{Line: line, Detail: detail})
	}
}

// add adds the id that a line holds.
func (u *Upload) add(line int, id []byte) error {
	if !popup.ValidUserID(id) {
		u.refuse(line, notAnID)
		return nil
	}
	if u.ids++; u.ids > MaxMembers {
		return fmt.Errorf("%w: at most %d ids", ErrTooMany, MaxMembers)
	}
	if u.broken.Total == 0 { // else nothing comes of them
		u.fingerprints = append(u.fingerprints, Fingerprint(u.Key, id))
	}
	return nil
}

func isHeader(field string) bool {
	return strings.EqualFold(field, "uid") || strings.EqualFold(field, "user_id")
}
