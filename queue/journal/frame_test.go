package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/popupd/popupd/popup"
)

func sampleFrame(events int) (Frame, []popup.Event) {
	f := Frame{Stream: popup.StreamID{1, 2, 3}, First: 100, Count: uint32(events)}
	var list []popup.Event
	for i := range events {
		e := testEvent(i)
		e.Seq = f.First + uint64(i)
		f.Payload = e.Append(f.Payload)
		list = append(list, e)
	}
	return f, list
}

func TestFrameRoundTrip(t *testing.T) {
	f, events := sampleFrame(3)
	encoded := AppendFrame([]byte("before"), &f)[len("before"):]
	if again := AppendEvents(nil, f.Stream, f.First, events); !bytes.Equal(encoded, again) {
		t.Errorf("AppendFrame  = %x\nAppendEvents = %x", encoded, again)
	}
	got, size, err := ParseFrame(append(encoded, "after"...))
	if err != nil {
		t.Fatal(err)
	}
	if size != len(encoded) || got.Last() != 102 {
		t.Errorf("size %d, last %d, want %d, 102", size, got.Last(), len(encoded))
	}
	if d := cmp.Diff(f, got); d != "" {
		t.Errorf("frame (-want +got):\n%s", d)
	}
	back, err := got.Events(nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(events, back); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestGapFrame(t *testing.T) {
	f := Frame{First: 5, Count: math.MaxUint32, Gap: true}
	got, _, err := ParseFrame(AppendFrame(nil, &f))
	if d := cmp.Diff(f, got); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if events, err := got.Events(nil); err != nil || len(events) != 0 {
		t.Errorf("a gap has events %v, %v", events, err)
	}
}

func TestGreatestFrame(t *testing.T) {
	e := testEvent(0)
	e.User, e.Variant = bytes.Repeat([]byte("u"), popup.MaxUserID), bytes.Repeat([]byte("v"), popup.MaxVariantKey)
	events := make([]popup.Event, MaxFrameEvents)
	for i := range events {
		events[i] = e
	}
	encoded := AppendEvents(nil, popup.StreamID{}, 1, events)
	if len(encoded) != MaxFrameSize {
		t.Errorf("%d bytes, MaxFrameSize is %d", len(encoded), MaxFrameSize)
	}
	if _, _, err := ParseFrame(encoded); err != nil {
		t.Error(err)
	}
}

func TestFrameTruncated(t *testing.T) {
	f, _ := sampleFrame(2)
	encoded := AppendFrame(nil, &f)
	for n := range encoded {
		if _, _, err := ParseFrame(encoded[:n]); !errors.Is(err, ErrFrameShort) {
			t.Fatalf("%d of %d bytes: %v, want %v", n, len(encoded), err, ErrFrameShort)
		}
	}
}

func TestFrameFlipped(t *testing.T) {
	f, _ := sampleFrame(2)
	encoded := AppendFrame(nil, &f)
	for i := range encoded {
		for bit := range 8 {
			bad := bytes.Clone(encoded)
			bad[i] ^= 1 << bit
			_, _, err := ParseFrame(bad)
			longer := i >= 36 && i < 40 && errors.Is(err, ErrFrameShort) // the length grew
			if !longer && !errors.Is(err, ErrFrameDamaged) {
				t.Fatalf("byte %d bit %d: %v, want %v", i, bit, err, ErrFrameDamaged)
			}
		}
	}
}

// reseal puts the right checksum under a frame that was changed.
func reseal(frame []byte) []byte {
	body := frame[:len(frame)-frameTrailer]
	binary.LittleEndian.PutUint32(frame[len(body):], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return frame
}

func TestFrameWithTheRightChecksum(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b []byte)
		want   error
	}{
		{"newer version", func(b []byte) { b[4] = 2 }, ErrFrameVersion},
		{"newer version, other flags", func(b []byte) { b[4], b[5], b[7] = 9, 255, 1 }, ErrFrameVersion},
		{"version 0", func(b []byte) { b[4] = 0 }, ErrFrameDamaged},
		{"unknown flag", func(b []byte) { b[5] = 2 }, ErrFrameDamaged},
		{"gap with a payload", func(b []byte) { b[5] = 1 }, ErrFrameDamaged},
		{"reserved", func(b []byte) { b[6] = 1 }, ErrFrameDamaged},
		{"event 0", func(b []byte) { clear(b[24:32]) }, ErrFrameDamaged},
		{"no events", func(b []byte) { clear(b[32:36]) }, ErrFrameDamaged},
		{"too many events", func(b []byte) { binary.LittleEndian.PutUint32(b[32:], MaxFrameEvents+1) }, ErrFrameDamaged},
		{"sequence overflow", func(b []byte) { binary.LittleEndian.PutUint64(b[24:], math.MaxUint64) }, ErrFrameDamaged},
	} {
		f, _ := sampleFrame(2)
		encoded := AppendFrame(nil, &f)
		c.change(encoded)
		if _, _, err := ParseFrame(reseal(encoded)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestFrameWithWrongEvents(t *testing.T) {
	f, _ := sampleFrame(2)
	f.Count = 3
	if _, err := f.Events(nil); !errors.Is(err, popup.ErrEventShort) {
		t.Errorf("three events in the bytes of two: %v", err)
	}
	f.Count = 1
	if _, err := f.Events(nil); err == nil {
		t.Error("one event in the bytes of two was accepted")
	}
}

func FuzzParseFrame(f *testing.F) {
	frame, _ := sampleFrame(2)
	f.Add(AppendFrame(nil, &frame))
	f.Add(AppendFrame(nil, &Frame{First: 1, Count: 1 << 30, Gap: true}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, src []byte) {
		// The fuzzer cannot guess a checksum, so it is also given the right one.
		for _, b := range [][]byte{src, nil} {
			if b == nil && len(src) > frameHeader+frameTrailer {
				b = bytes.Clone(src)
				binary.LittleEndian.PutUint32(b[36:], uint32(len(b)-frameHeader-frameTrailer))
				b = reseal(b)
			}
			got, size, err := ParseFrame(b)
			if err != nil {
				continue
			}
			if again := AppendFrame(nil, &got); !bytes.Equal(again, b[:size]) {
				t.Fatalf("parsed %x, encoded %x", b[:size], again)
			}
			got.Events(nil)
		}
	})
}
