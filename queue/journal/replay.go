package journal

import (
	"fmt"
	"io"
	"slices"

	"github.com/popupd/popupd/popup"
)

// Replay calls fn with every event still on disk, in order within each stream.
// The event and its bytes are valid during the call. Beside Run, which trims, it may return
// [ErrTrimmed].
func (j *Journal) Replay(fn func(*popup.Event)) error { return j.replayAll(j.Streams(), fn) }

// ReplayKept is Replay, with the removed streams that are still on disk: see [Journal.Kept].
func (j *Journal) ReplayKept(fn func(*popup.Event)) error {
	return j.replayAll(slices.Concat(j.Kept(), j.Streams()), fn)
}

func (j *Journal) replayAll(streams []*Stream, fn func(*popup.Event)) error {
	for _, s := range streams {
		if err := j.replay(s, fn); err != nil {
			return fmt.Errorf("replay stream %s: %w", s.ID(), err)
		}
	}
	return nil
}

func (j *Journal) replay(s *Stream, fn func(*popup.Event)) error {
	const piece = 256 << 10
	var buf []byte
	var events []popup.Event
	r := s.Reader(s.First() - 1)
	for {
		var err error
		if buf, _, err = r.Next(buf[:0], piece); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		for rest := buf; len(rest) > 0; {
			f, size, err := ParseFrame(rest)
			if err != nil {
				return err
			}
			rest = rest[size:]
			if events, err = f.Events(events[:0]); err != nil {
				j.metrics.errors.Inc() // the flusher will declare it lost
				j.c.Log.Error("journal holds an event that cannot be read", "stream", s.ID(), "err", err)
			}
			for i := range events {
				fn(&events[i])
			}
		}
	}
}
