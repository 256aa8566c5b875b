package popup

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() Event {
	return Event{
		AtMS: 1_700_000_000_123, ServedAtMS: 1_700_000_000_000, User: []byte("u-1"), Popup: 7, Version: 3,
		Variant: []byte("a"), Action: Click, Nth: 2, ReadyAtMS: 1_700_000_100_000, ClickUntilMS: 1_700_000_100_000,
	}
}

func TestEventRoundTrip(t *testing.T) {
	e := sample()
	b := e.Append([]byte("before"))
	if got, want := len(b), len("before")+e.Size(); got != want {
		t.Fatalf("encoded %d bytes, Size says %d", got, want)
	}
	var got Event
	rest, err := DecodeEvent(&got, append(b[len("before"):], "after"...))
	if err != nil {
		t.Fatal(err)
	}
	if string(rest) != "after" {
		t.Errorf("rest = %q, want %q", rest, "after")
	}
	if d := cmp.Diff(e, got); d != "" {
		t.Errorf("round trip (-want +got):\n%s", d)
	}
}

func TestEventTruncated(t *testing.T) {
	e := sample()
	b := e.Append(nil)
	for n := range b {
		var got Event
		if _, err := DecodeEvent(&got, b[:n]); !errors.Is(err, ErrEventShort) {
			t.Errorf("%d of %d bytes: %v, want %v", n, len(b), err, ErrEventShort)
		}
	}
}

func TestEventInvalid(t *testing.T) {
	for name, change := range map[string]func(*Event){
		"no action":      func(e *Event) { e.Action = 0 },
		"unknown action": func(e *Event) { e.Action = 10 },
		"no user":        func(e *Event) { e.User = nil },
		"long user":      func(e *Event) { e.User = bytes.Repeat([]byte("u"), MaxUserID+1) },
		"long variant":   func(e *Event) { e.Variant = bytes.Repeat([]byte("v"), MaxVariantKey+1) },
		"negative time":  func(e *Event) { e.AtMS = -1 },
		"after never":    func(e *Event) { e.ReadyAtMS = Never + 1 },
	} {
		e := sample()
		change(&e)
		if err := e.Validate(); !errors.Is(err, ErrEventInvalid) {
			t.Errorf("%s: Validate = %v, want %v", name, err, ErrEventInvalid)
		}
		var got Event
		if _, err := DecodeEvent(&got, e.Append(nil)); !errors.Is(err, ErrEventInvalid) {
			t.Errorf("%s: DecodeEvent = %v, want %v", name, err, ErrEventInvalid)
		}
	}
}

func FuzzDecodeEvent(f *testing.F) {
	e := sample()
	f.Add(e.Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, src []byte) {
		var e Event
		rest, err := DecodeEvent(&e, src)
		if err != nil {
			return
		}
		used := src[:len(src)-len(rest)]
		if again := e.Append(nil); !bytes.Equal(used, again) {
			t.Fatalf("decoded %x, encoded %x", used, again)
		}
	})
}

func TestStreamID(t *testing.T) {
	const s = "00112233445566778899aabbccddeeff"
	id, err := ParseStreamID(s)
	if err != nil || id.String() != s {
		t.Fatalf("ParseStreamID(%q) = %v, %v", s, id, err)
	}
	for _, bad := range []string{"", s[1:], s + "0", "00112233445566778899AABBCCDDEEFF", "zz112233445566778899aabbccddeeff"} {
		if _, err := ParseStreamID(bad); err == nil {
			t.Errorf("ParseStreamID(%q) was accepted", bad)
		}
	}
}

func BenchmarkHotEventAppend(b *testing.B) {
	e := sample()
	dst := make([]byte, 0, MaxEventSize)
	b.ReportAllocs()
	for b.Loop() {
		dst = e.Append(dst[:0])
	}
}

func BenchmarkHotEventDecode(b *testing.B) {
	e := sample()
	src := e.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeEvent(&e, src); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzStreamID: an id that is read is the one that is written.
func FuzzStreamID(f *testing.F) {
	f.Add("00112233445566778899aabbccddeeff")
	f.Add("00112233445566778899aabbccddeefF")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseStreamID(s)
		if err == nil && id.String() != s {
			t.Fatalf("%q is read as %s", s, id)
		}
		if again, err := ParseStreamID(id.String()); err != nil || again != id {
			t.Fatalf("%s is read as %s, %v", id, again, err)
		}
	})
}
