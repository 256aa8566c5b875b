package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/popupd/popupd/popup"
)

// Frame is a run of consecutive events of one stream, or the declaration that
// such a run is lost. It is the unit of the journal, of Redis and of damage: a
// frame is whole or it is nothing.
type Frame struct {
	Stream  popup.StreamID
	First   uint64 // sequence number of the first event, from 1
	Count   uint32 // events, at least 1
	Gap     bool   // the events are lost: there is no payload
	Payload []byte // Count encoded events
}

// Last returns the sequence number of the frame's last event.
func (f *Frame) Last() uint64 { return f.First + uint64(f.Count) - 1 }

// The layout of a frame is in the package comment.
//
// Magic, version, len and crc stay where they are in every version to come, so
// that a newer frame can be told from a damaged one.
const (
	frameVersion1 = 1             // no action is greater than popup.Control
	frameVersion2 = 2             // no action is greater than popup.Release; the rest is as in version 1
	frameVersion3 = 3             // any action; the rest is as in version 1
	frameVersion  = frameVersion3 // the newest known

	frameGap     = 1
	frameHeader  = 40
	frameTrailer = 4
)

// The limits of a frame: garbage cannot ask for more memory than this.
const (
	MaxFrameEvents = 256                                                            // of a frame that is not a gap
	MaxFrameSize   = frameHeader + MaxFrameEvents*popup.MaxEventSize + frameTrailer // bytes, under 64 KiB
	maxPayload     = MaxFrameSize - frameHeader - frameTrailer
)

// What [ParseFrame] may find wrong.
var (
	ErrFrameShort   = errors.New("frame: truncated")
	ErrFrameDamaged = errors.New("frame: damaged")
	ErrFrameVersion = errors.New("frame: written by a newer version")
)

var (
	frameMagic = [4]byte{'p', 'o', 'p', 'f'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// AppendEvents appends a frame of 1 to [MaxFrameEvents] valid events, the first
// of them with the sequence number first, to dst. Event.Seq is not read. The frame
// has the lowest version that allows the events' actions.
func AppendEvents(dst []byte, stream popup.StreamID, first uint64, events []popup.Event) []byte {
	start := len(dst)
	version := byte(frameVersion1)
	for i := range events {
		switch a := events[i].Action; {
		case a > popup.Release:
			version = frameVersion3
		case a > popup.Control:
			version = max(version, frameVersion2)
		}
	}
	dst = appendHeader(dst, version, 0, stream, first, uint32(len(events)))
	for i := range events {
		dst = events[i].Append(dst)
	}
	return closeFrame(dst, start)
}

// AppendGap appends a frame that declares count events lost, from the sequence
// number first on. count is at least 1.
func AppendGap(dst []byte, stream popup.StreamID, first uint64, count uint32) []byte {
	start := len(dst)
	dst = appendHeader(dst, frameVersion1, frameGap, stream, first, count)
	return closeFrame(dst, start)
}

func appendHeader(dst []byte, version, flags byte, stream popup.StreamID, first uint64, count uint32) []byte {
	le := binary.LittleEndian
	dst = append(dst, frameMagic[:]...)
	dst = append(dst, version, flags, 0, 0)
	dst = append(dst, stream[:]...)
	dst = le.AppendUint64(dst, first)
	dst = le.AppendUint32(dst, count)
	return le.AppendUint32(dst, 0) // the length, known to closeFrame
}

// closeFrame fills in the length of the frame that starts at dst[start] and
// appends its checksum.
func closeFrame(dst []byte, start int) []byte {
	le := binary.LittleEndian
	frame := dst[start:]
	le.PutUint32(frame[36:], uint32(len(frame)-frameHeader))
	return le.AppendUint32(dst, crc32.Checksum(frame, castagnoli))
}

// ParseFrame reads one frame from the start of src and returns its size in
// bytes. The payload aliases src. It returns [ErrFrameShort] when src ends
// before the frame does, [ErrFrameDamaged], or [ErrFrameVersion] for a frame
// that is whole but newer than this code; size is then its size too.
func ParseFrame(src []byte) (f Frame, size int, err error) {
	le := binary.LittleEndian
	if n := min(len(src), len(frameMagic)); string(src[:n]) != string(frameMagic[:n]) {
		return f, 0, fmt.Errorf("%w: no frame starts here", ErrFrameDamaged)
	}
	if len(src) < frameHeader {
		return f, 0, ErrFrameShort
	}
	length := le.Uint32(src[36:])
	if length > maxPayload {
		return f, 0, fmt.Errorf("%w: payload of %d bytes", ErrFrameDamaged, length)
	}
	size = frameHeader + int(length) + frameTrailer
	if len(src) < size {
		return f, 0, ErrFrameShort
	}
	body := src[:size-frameTrailer]
	if crc32.Checksum(body, castagnoli) != le.Uint32(src[len(body):]) {
		return f, 0, fmt.Errorf("%w: checksum", ErrFrameDamaged)
	}
	if src[4] > frameVersion {
		return f, size, fmt.Errorf("%w: %d, newest known is %d", ErrFrameVersion, src[4], frameVersion)
	}
	f = Frame{
		First: le.Uint64(src[24:]),
		Count: le.Uint32(src[32:]),
		Gap:   src[5] == frameGap,
	}
	copy(f.Stream[:], src[8:24])
	if !f.Gap {
		f.Payload = body[frameHeader:len(body):len(body)]
	}
	// The checksum is right, so what follows would be a bug of the writer.
	switch {
	case src[4] == 0, src[5] > frameGap, src[6] != 0, src[7] != 0:
		err = fmt.Errorf("%w: header", ErrFrameDamaged)
	case f.Count == 0, f.First == 0, f.Last() < f.First:
		err = fmt.Errorf("%w: events %d+%d", ErrFrameDamaged, f.First, f.Count)
	case f.Gap && length != 0, !f.Gap && f.Count > MaxFrameEvents:
		err = fmt.Errorf("%w: %d events in %d bytes", ErrFrameDamaged, f.Count, length)
	}
	if err != nil {
		return Frame{}, 0, err
	}
	return f, size, nil
}

// Events decodes the frame's events, with their sequence numbers, and appends
// them to dst. They alias the payload. A gap has none.
func (f *Frame) Events(dst []popup.Event) ([]popup.Event, error) {
	if f.Gap {
		return dst, nil
	}
	rest := f.Payload
	for i := range uint64(f.Count) {
		var e popup.Event
		var err error
		if rest, err = popup.DecodeEvent(&e, rest); err != nil {
			return dst, fmt.Errorf("decode event %d: %w", f.First+i, err)
		}
		e.Seq = f.First + i
		dst = append(dst, e)
	}
	if len(rest) != 0 {
		return dst, fmt.Errorf("decode frame %d: %d bytes too many", f.First, len(rest))
	}
	return dst, nil
}
