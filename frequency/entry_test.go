package frequency

import (
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

func TestSizes(t *testing.T) {
	if got := unsafe.Sizeof(slot{}); got != slotSize {
		t.Errorf("a slot has %d bytes, want %d", got, slotSize)
	}
	if got := unsafe.Sizeof(shard{}); got != 64 {
		t.Errorf("a shard has %d bytes, want those of a cache line", got)
	}
}

func TestReleaseBit(t *testing.T) {
	if got := popup.Release.Bit(); got != releaseBit {
		t.Errorf("popup.Release has bit %d, here it is %d", got, releaseBit)
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

var drawLast = rapid.Custom(func(t *rapid.T) popup.Action {
	return popup.Action(rapid.OneOf(rapid.ByteRange(1, 8), rapid.Byte()).Draw(t, "action"))
})

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.OneOf(rapid.Int64Range(epochMS-1000, epochMS+1000), rapid.Int64Range(0, popup.Never))
		s := popup.State{
			Impressions: rapid.Uint32().Draw(t, "impressions"), ServedAtMS: ms.Draw(t, "served"), ShownAtMS: ms.Draw(t, "shown"), Acted: rapid.Byte().Draw(t, "acted"),
			Last: drawLast.Draw(t, "last"), AtMS: ms.Draw(t, "at"), ClickUntilMS: ms.Draw(t, "click until"), NextAtMS: ms.Draw(t, "next"),
		}
		id := rapid.OneOf(rapid.Uint32Range(0, 100), rapid.Uint32()).Draw(t, "popup")
		if rapid.Bool().Draw(t, "clicked") {
			s.NextAtMS = s.ClickUntilMS
		}
		if rapid.Bool().Draw(t, "at once") {
			s.AtMS = s.ServedAtMS + rapid.Int64Range(0, 20*day).Draw(t, "later")
			s.ShownAtMS = rapid.SampledFrom([]int64{0, s.ServedAtMS, s.AtMS, s.ShownAtMS}).Draw(t, "shown then")
		}
		const hash = 0xfedcba9876543210
		e := quantize(hash, id, &s)
		once := e.state()
		if again := quantize(hash, id, &once); again != e {
			t.Fatalf("rounded once %+v\nrounded twice %+v", e, again)
		}
		late := s.AtMS - once.AtMS // of a clock that the table can't tell
		if late < tickMS || once.AtMS == 0 {
			late = 0
		}
		for _, until := range [][2]int64{{s.ClickUntilMS, once.ClickUntilMS}, {s.NextAtMS, once.NextAtMS}} {
			if want := until[0] - late; until[1] < want && want > epochMS {
				t.Fatalf("a wait of %+v ends early: %+v", s, once)
			}
		}
		head, tail, long := e.pack()
		packed := shard{sorted: sorted{slots: []slot{head, tail}}}
		if u := packed.unpack(0, hash); u != e || packed.popup(0) != id || long != (packed.width(0) == 2) || long == e.fits() {
			t.Fatalf("packed %+v, want %+v", u, e)
		}
		if got, want := packed.seen(0), floorTick(once.SeenAtMS()); got != want {
			t.Fatalf("seen at %v, want %v", got, want)
		}
		var d entry
		d.decode((*[entrySize]byte)(e.append(nil)))
		if d != e {
			t.Fatalf("decoded %+v, want %+v", d, e)
		}
	})
}
