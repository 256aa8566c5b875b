package journal

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/popupd/popupd/popup"
)

// FuzzScan writes a segment file of whole frames, damaged ones and anything
// between them, and holds what is found in it against a model that looks for a
// frame at every byte.
func FuzzScan(f *testing.F) {
	f.Add([]byte("fff"), uint64(1), false)
	f.Add([]byte("fgf\x00zt"), uint64(1), true)
	f.Add([]byte("fjfrfofvx"), uint64(2), false)
	f.Add([]byte("fvfjfmmf"), uint64(1), false)
	f.Add([]byte("fxff"), uint64(1), true)
	f.Add([]byte("ffffffffffffffffffffffffffffffffff"), uint64(3), false) // beyond what is asked for
	f.Fuzz(func(t *testing.T, script []byte, next uint64, stop bool) {
		if len(script) > 200 {
			return
		}
		id, file := popup.StreamID{7}, []byte(nil)
		at := max(next, 1)
		for i, c := range script {
			switch frame := AppendEvents(nil, id, at, testEvents(i, 1+i%3)); c {
			case 'f': // the next frame
				file = append(file, frame...)
				at += uint64(1 + i%3)
			case 'r': // one that repeats
				file = AppendEvents(file, id, max(at, 2)-1, testEvents(i, 1))
			case 'j': // events are missing before the next
				at += 5
			case 'o': // of another stream
				file = AppendEvents(file, popup.StreamID{8}, at, testEvents(i, 1))
			case 'g': // a gap
				file = AppendGap(file, id, at, 3)
				at += 3
			case 't': // torn
				file = append(file, frame[:len(frame)/2]...)
			case 'x': // one bit
				frame[i%len(frame)] ^= 1
				file = append(file, frame...)
			case 'm':
				file = append(file, frameMagic[:]...)
			case 'z':
				file = append(file, make([]byte, 100)...)
			default:
				file = append(file, c)
			}
		}
		lim := limits{next: next, last: next + 40, stop: stop}
		got := &scanned{segment: segment{first: max(next, 1), size: int64(len(file))}}
		err := got.read(&window{file: bytes.NewReader(file), size: got.size}, id, lim)
		want, dirtEnd, wantErr := modelScan(file, id, got.first, lim)
		if !errors.Is(err, wantErr) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if !slices.Equal(got.extents, want) || got.dirtEnd != dirtEnd {
			t.Fatalf("extents %+v, dirt up to %d\nwant %+v, %d", got.extents, got.dirtEnd, want, dirtEnd)
		}
		for _, r := range got.extents {
			for off, seq := r.off, r.first; off < r.end; {
				fr, size, err := ParseFrame(file[off:])
				if err != nil || fr.First != seq {
					t.Fatalf("in extent %+v at byte %d: %v, frame from %d, want %d", r, off, err, fr.First, seq)
				}
				off, seq = off+int64(size), fr.Last()+1
			}
		}
	})
}

// modelScan is scanned.read, byte by byte.
func modelScan(file []byte, id popup.StreamID, first uint64, lim limits) (extents []extent, dirtEnd int64, err error) {
	next, ended := lim.next, false
	if lim.stop {
		next = max(next, first)
	}
	for off := 0; off < len(file); {
		f, size, err := ParseFrame(file[off:])
		end := int64(off + size)
		switch {
		case errors.Is(err, ErrFrameVersion):
			return nil, 0, ErrFrameVersion
		case err != nil:
			if file[off] != 0 {
				dirtEnd = int64(off + 1)
			}
			ended = ended || lim.stop
			off++
			continue
		case f.Stream != id || f.First < next || f.Last() > lim.last || lim.stop && (ended || f.First != next):
			dirtEnd = end
			ended = ended || lim.stop
		default:
			if n := len(extents); n > 0 && extents[n-1].end == int64(off) && extents[n-1].last+1 == f.First {
				extents[n-1].end, extents[n-1].last = end, f.Last()
			} else {
				extents = append(extents, extent{int64(off), end, f.First, f.Last()})
			}
			next = f.Last() + 1
		}
		off += size
	}
	return extents, dirtEnd, nil
}

// FuzzSegmentName: a name that is read is the one that would be written.
func FuzzSegmentName(f *testing.F) {
	f.Add(segmentName(1))
	f.Add("18446744073709551615.seg.bad")
	f.Add("00000000000000000000.seg")
	f.Fuzz(func(t *testing.T, name string) {
		first, bad, ok := parseSegmentName(name)
		again := segmentName(first)
		if bad {
			again += badSuffix
		}
		if ok && again != name {
			t.Fatalf("%q is read as %d, bad %v, which is written %q", name, first, bad, again)
		}
	})
}
