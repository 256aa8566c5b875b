package queue

import (
	"errors"

	"github.com/popupd/popupd/popup"
)

// ErrTrimmed says that a reader stands before [Stream.First].
var ErrTrimmed = errors.New("journal: the events are no longer kept")

// Stream is the events of one start of one server, on disk.
type Stream struct{}

func (s *Stream) ID() popup.StreamID          { return popup.StreamID{} }
func (s *Stream) First() uint64               { return 0 }
func (s *Stream) Last() uint64                { return 0 }
func (s *Stream) Sealed() bool                { return false }
func (s *Stream) Reader(after uint64) *Reader { return nil }
func (s *Stream) Ack(seq uint64)              {}
func (s *Stream) Remove() error               { return nil }

// Reader is a cursor over a stream. It is for one goroutine.
type Reader struct{}

// Next appends whole consecutive frames to dst.
func (r *Reader) Next(dst []byte, max int) (frames []byte, last uint64, err error) {
	return nil, 0, nil
}
