package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/popupd/popupd/popup"
)

// sampleFrame returns a frame, encoded, what it is to be read as, and its events.
func sampleFrame(events int) (encoded []byte, f Frame, list []popup.Event) {
	f = Frame{Stream: popup.StreamID{1, 2, 3}, First: 100, Count: uint32(events)}
	for i := range events {
		e := testEvent(i)
		e.Seq = f.First + uint64(i)
		f.Payload = e.Append(f.Payload)
		list = append(list, e)
	}
	return AppendEvents(nil, f.Stream, f.First, list), f, list
}

func TestFrameRoundTrip(t *testing.T) {
	encoded, f, events := sampleFrame(3)
	if again := AppendEvents([]byte("before"), f.Stream, f.First, events); string(again) != "before"+string(encoded) {
		t.Errorf("AppendEvents after before = %q, want %q behind it", again, encoded)
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
	f := Frame{Stream: popup.StreamID{1, 2, 3}, First: 5, Count: math.MaxUint32, Gap: true}
	got, _, err := ParseFrame(AppendGap(nil, f.Stream, f.First, f.Count))
	if d := cmp.Diff(f, got); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if events, err := got.Events(nil); err != nil || len(events) != 0 {
		t.Errorf("a gap has events %v, %v", events, err)
	}
}

// TestFrameVersion: what servers of the version before can read they get as they know
// it, byte for byte, and only the rest is marked as newer than they are.
func TestFrameVersion(t *testing.T) {
	frame := func(actions ...popup.Action) []byte {
		var events []popup.Event
		for _, a := range actions {
			events = append(events, popup.Event{
				AtMS: 1000, ServedAtMS: 900, User: []byte("u"), Popup: 7, Version: 3, Variant: []byte("a"),
				Action: a, Nth: 2, ReadyAtMS: 2000, ClickUntilMS: 3000,
			})
		}
		return AppendEvents(nil, popup.StreamID{1, 2, 3}, 100, events)
	}
	// Written by the version before.
	const before = "706f706601000000010203000000000000000000000000006400000000000000020000006400000002010100070000000300" +
		"000002000000e8030000000000008403000000000000d007000000000000b80b000000000000756106010100070000000300" +
		"000002000000e8030000000000008403000000000000d007000000000000b80b0000000000007561f62baa98"
	if got := hex.EncodeToString(frame(popup.Click, popup.Control)); got != before {
		t.Errorf("frame of a click and a control:\n%s, want\n%s", got, before)
	}
	for a := popup.Impression; a <= popup.Control; a++ {
		if v := frame(a)[4]; v != 1 {
			t.Errorf("version %d of a frame of a %s, want 1", v, a)
		}
	}
	if v := AppendGap(nil, popup.StreamID{}, 1, 1)[4]; v != 1 {
		t.Errorf("version %d of a gap, want 1", v)
	}
	for _, c := range []struct {
		want    byte
		actions []popup.Action
	}{
		{2, []popup.Action{popup.View}},
		{2, []popup.Action{popup.Release}},
		{2, []popup.Action{popup.View, popup.Click}},
		{2, []popup.Action{popup.Click, popup.View}},
		{3, []popup.Action{popup.Goal}},
		{3, []popup.Action{popup.Goal, popup.View}},
		{3, []popup.Action{popup.Impression, popup.Goal}},
	} {
		actions := c.actions
		b := frame(actions...)
		if b[4] != c.want {
			t.Errorf("version %d of a frame of actions %v, want %d", b[4], actions, c.want)
		}
		if f, size, err := ParseFrame(b); err != nil || size != len(b) || f.Count != uint32(len(actions)) {
			t.Errorf("frame of actions %v: %d events in %d of %d bytes, %v", actions, f.Count, size, len(b), err)
		}
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
	encoded, _, _ := sampleFrame(2)
	for n := range encoded {
		if _, _, err := ParseFrame(encoded[:n]); !errors.Is(err, ErrFrameShort) {
			t.Fatalf("%d of %d bytes: %v, want %v", n, len(encoded), err, ErrFrameShort)
		}
	}
}

func TestFrameFlipped(t *testing.T) {
	encoded, _, _ := sampleFrame(2)
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
		{"version that it need not have", func(b []byte) { b[4] = 2 }, nil},
		{"newer version", func(b []byte) { b[4] = 4 }, ErrFrameVersion},
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
		encoded, _, _ := sampleFrame(2)
		c.change(encoded)
		if _, _, err := ParseFrame(reseal(encoded)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestFrameWithWrongEvents(t *testing.T) {
	_, f, _ := sampleFrame(2)
	f.Count = 3
	if _, err := f.Events(nil); !errors.Is(err, popup.ErrEventShort) {
		t.Errorf("three events in the bytes of two: %v", err)
	}
	f.Count = 1
	if _, err := f.Events(nil); err == nil {
		t.Error("one event in the bytes of two was accepted")
	}
}

// FuzzParseFrame: what is read is what would be written, except that the version may
// be higher than it need be.
func FuzzParseFrame(f *testing.F) {
	frame, _, _ := sampleFrame(2)
	f.Add(frame)
	view := testEvent(0)
	view.Action = popup.View
	f.Add(AppendEvents(nil, popup.StreamID{}, 1, []popup.Event{view}))
	f.Add(AppendGap(nil, popup.StreamID{}, 1, 1<<30))
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
			events, err := got.Events(nil)
			var again []byte
			switch {
			case err != nil:
				continue
			case got.Gap:
				again = AppendGap(nil, got.Stream, got.First, got.Count)
			default:
				again = AppendEvents(nil, got.Stream, got.First, events)
			}
			again[4] = max(again[4], b[4])
			if !bytes.Equal(reseal(again), b[:size]) {
				t.Fatalf("parsed %x, encoded %x", b[:size], again)
			}
		}
	})
}
