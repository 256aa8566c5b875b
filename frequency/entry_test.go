package frequency

import (
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

func TestEntrySize(t *testing.T) {
	if got := unsafe.Sizeof(entry{}); got != entrySize {
		t.Errorf("an entry has %d bytes, want %d", got, entrySize)
	}
}

func TestTick(t *testing.T) {
	const lastMS = epochMS + (int64(never)-1)*tickMS
	for _, c := range []struct{ ms, floor, ceil int64 }{
		{0, 0, 0},
		{epochMS, 0, 0},
		{epochMS + 1, 0, epochMS + 100},
		{epochMS + 99, 0, epochMS + 100},
		{epochMS + 100, epochMS + 100, epochMS + 100},
		{epochMS + 101, epochMS + 100, epochMS + 200},
		{lastMS, lastMS, lastMS},
		{lastMS + 1, lastMS, popup.Never},
		{lastMS + 100, popup.Never, popup.Never},
		{popup.Never, popup.Never, popup.Never},
	} {
		if got := floorTick(c.ms).ms(); got != c.floor {
			t.Errorf("%d rounded down is %d, want %d", c.ms, got, c.floor)
		}
		if got := ceilTick(c.ms).ms(); got != c.ceil {
			t.Errorf("%d rounded up is %d, want %d", c.ms, got, c.ceil)
		}
	}
}

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.OneOf(rapid.Int64Range(epochMS-1000, epochMS+1000), rapid.Int64Range(0, popup.Never))
		s := popup.State{
			Impressions: rapid.Uint32().Draw(t, "impressions"), ServedAtMS: ms.Draw(t, "served"), Acted: rapid.Byte().Draw(t, "acted"),
			Last: popup.Click, AtMS: ms.Draw(t, "at"), ClickUntilMS: ms.Draw(t, "click until"), NextAtMS: ms.Draw(t, "next"),
		}
		e := quantize(1, 2, &s)
		once := e.state()
		if again := quantize(1, 2, &once); again != e {
			t.Fatalf("rounded once %+v\nrounded twice %+v", e, again)
		}
		if once.ClickUntilMS < s.ClickUntilMS && once.ClickUntilMS != 0 || once.NextAtMS < s.NextAtMS && once.NextAtMS != 0 {
			t.Fatalf("a wait of %+v ends early: %+v", s, once)
		}
		var d entry
		d.decode((*[entrySize]byte)(e.append(nil)))
		if d != e {
			t.Fatalf("decoded %+v, want %+v", d, e)
		}
	})
}
