package queue

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// peek is what a flusher sees of a stream's list: the frames of its first
// elements, in whatever order they are and however often they are repeated. It
// is used again and again, so that its memory is too.
type peek struct {
	stream popup.StreamID
	bytes  []byte          // of the elements; the frames' payloads alias it
	spans  []span          // one for each element
	frames []journal.Frame // sorted
	events []popup.Event
	gaps   []popup.Gap
}

// span is what an element covers.
type span struct {
	last uint64 // seq of its last event; 0: it is damaged and covers nothing
	keep bool   // it holds a frame of a newer version, for a newer flusher
}

// read takes the elements as they are in the list. It returns the first
// damage it met. A damaged element is taken for missing: it comes again.
func (p *peek) read(stream popup.StreamID, elements []string) error {
	size := 0
	for _, e := range elements {
		size += len(e)
	}
	if cap(p.bytes) > 4*peekBytes && size <= peekBytes {
		p.bytes = nil // of a time when elements had suddenly become large
	}
	p.stream = stream
	p.bytes = slices.Grow(p.bytes[:0], size)
	p.spans, p.frames = p.spans[:0], p.frames[:0]
	var damage error
	damaged := 0
	for _, e := range elements {
		start := len(p.bytes)
		p.bytes = append(p.bytes, e...) // does not move it: it has been grown
		s, err := p.readElement(p.bytes[start:])
		if err != nil {
			damage = cmp.Or(damage, err)
			damaged++
		}
		p.spans = append(p.spans, s)
	}
	slices.SortStableFunc(p.frames, func(a, b journal.Frame) int {
		switch {
		case a.First != b.First:
			return cmp.Compare(a.First, b.First)
		case a.Gap == b.Gap:
			return 0
		case a.Gap: // events are better than the declaration that they are lost
			return 1
		}
		return -1
	})
	if damaged > 0 {
		return fmt.Errorf("%d of %d elements: %w", damaged, len(elements), damage)
	}
	return nil
}

func (p *peek) readElement(element []byte) (span, error) {
	var s span
	whole := len(p.frames)
	if len(element) == 0 {
		return s, fmt.Errorf("%w: empty element", journal.ErrFrameDamaged)
	}
	for len(element) > 0 {
		f, size, err := journal.ParseFrame(element)
		if err == nil && f.Stream != p.stream {
			err = fmt.Errorf("%w: of stream %s", journal.ErrFrameDamaged, f.Stream)
		}
		switch {
		case errors.Is(err, journal.ErrFrameVersion):
			s.keep = true
		case err != nil:
			p.frames = p.frames[:whole]
			return span{}, err
		default:
			p.frames = append(p.frames, f)
			s.last = max(s.last, f.Last())
		}
		element = element[size:]
	}
	return s, nil
}

// batch fills b with the longest run without a hole that follows after and has at
// most about so many events. Its events alias the peek. The batch is empty, with
// Last equal to After, if there is none. Events that cannot be decoded although
// their frame is whole are declared lost: they would stop the stream for ever.
// The first of them is the error; the batch is good all the same.
func (p *peek) batch(b *popup.Batch, after uint64, most int) error {
	*b = popup.Batch{Stream: p.stream, After: after, Last: after}
	p.events, p.gaps = p.events[:0], p.gaps[:0]
	var bad error
	for i := range p.frames {
		f := &p.frames[i]
		if f.Last() <= b.Last {
			continue // committed
		}
		if f.First > b.Last+1 || len(p.events) >= most {
			break
		}
		lost := b.Last + 1 // from here to the frame's end
		if !f.Gap {
			var err error
			lost, err = p.decode(f, b.Last)
			bad = cmp.Or(bad, err)
		}
		b.Last = f.Last()
		if lost <= b.Last {
			p.gaps = append(p.gaps, popup.Gap{First: lost, Last: b.Last})
		}
	}
	b.Events, b.Gaps = p.events, p.gaps
	return bad
}

// decode appends the events of f that follow after to p.events. It returns the
// number of the first event that cannot be decoded, which is one beyond the frame
// if all can, and the error.
func (p *peek) decode(f *journal.Frame, after uint64) (lost uint64, err error) {
	n := len(p.events)
	p.events, err = f.Events(p.events)
	// The progress may stand inside the frame.
	committed := 0
	for n+committed < len(p.events) && p.events[n+committed].Seq <= after {
		committed++
	}
	p.events = slices.Delete(p.events, n, n+committed)
	if len(p.events) > n {
		return p.events[len(p.events)-1].Seq + 1, err
	}
	return after + 1, err
}

// covered returns how many elements at the front of the list may be trimmed when
// everything up to last is committed.
func (p *peek) covered(last uint64) int {
	for i, s := range p.spans {
		if s.keep || s.last > last {
			return i
		}
	}
	return len(p.spans)
}
