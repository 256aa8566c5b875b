package queue

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

var peekStream = popup.StreamID{7}

// wholeFrame returns a frame of events first..last, gapFrame one that declares them lost.
func wholeFrame(first, last int) string {
	return string(journal.AppendEvents(nil, peekStream, uint64(first), testEvents(first, last-first+1)))
}

func gapFrame(first, last int) string {
	return string(journal.AppendGap(nil, peekStream, uint64(first), uint32(last-first+1)))
}

// undecodable returns a frame in whose checksum is right and in which event bad is not.
func undecodable(first, last, bad int) string {
	events := testEvents(first, last-first+1)
	events[bad-first].Action = 200 // no such action
	return string(journal.AppendEvents(nil, peekStream, uint64(first), events))
}

func newerFrame(first, last int) string {
	return string(newerVersion([]byte(wholeFrame(first, last))))
}

// summary is a batch in short: seqs of events, gaps, and where it ends.
type summary struct {
	Events []uint64
	Gaps   []popup.Gap
	Last   uint64
}

func summarize(t testing.TB, b *popup.Batch) summary {
	t.Helper()
	s := summary{Last: b.Last, Gaps: slices.Clone(b.Gaps)}
	for _, e := range b.Events {
		want := testEvent(int(e.Seq))
		want.Seq = e.Seq
		if d := cmp.Diff(want, e); d != "" {
			t.Errorf("event %d (-want +got):\n%s", e.Seq, d)
		}
		s.Events = append(s.Events, e.Seq)
	}
	return s
}

func seqs(first, last uint64) (list []uint64) {
	for ; first <= last; first++ {
		list = append(list, first)
	}
	return list
}

func TestPeek(t *testing.T) {
	foreign := string(journal.AppendEvents(nil, popup.StreamID{8}, 1, testEvents(1, 3)))
	for _, c := range []struct {
		name     string
		elements []string
		after    uint64
		want     summary
		covered  int // elements that may go when the batch is committed
		readErr  error
		batchErr error
	}{
		{name: "nothing", want: summary{}},
		{name: "one frame", elements: []string{wholeFrame(1, 3)}, want: summary{Events: seqs(1, 3), Last: 3}, covered: 1},
		{name: "several frames in an element", elements: []string{wholeFrame(1, 3) + wholeFrame(4, 4)}, want: summary{Events: seqs(1, 4), Last: 4}, covered: 1},
		{name: "progress inside a frame", elements: []string{wholeFrame(1, 5)}, after: 3, want: summary{Events: seqs(4, 5), Last: 5}, covered: 1},
		{name: "all committed", elements: []string{wholeFrame(1, 5)}, after: 9, want: summary{Last: 9}, covered: 1},
		{name: "hole", elements: []string{wholeFrame(1, 2), wholeFrame(4, 5)}, want: summary{Events: seqs(1, 2), Last: 2}, covered: 1},
		{name: "beginning lost", elements: []string{wholeFrame(4, 5)}, after: 2, want: summary{Last: 2}},
		{name: "repeated", elements: []string{wholeFrame(1, 2), wholeFrame(1, 2), wholeFrame(3, 3), wholeFrame(1, 2)}, want: summary{Events: seqs(1, 3), Last: 3}, covered: 4},
		{name: "out of order", elements: []string{wholeFrame(3, 4), wholeFrame(1, 2)}, want: summary{Events: seqs(1, 4), Last: 4}, covered: 2},
		{name: "overlapping", elements: []string{wholeFrame(1, 4), wholeFrame(3, 6)}, want: summary{Events: seqs(1, 6), Last: 6}, covered: 2},
		{name: "committed behind what is not", elements: []string{wholeFrame(5, 6), wholeFrame(1, 2)}, after: 2, want: summary{Last: 2}},
		{name: "gap", elements: []string{wholeFrame(1, 2), gapFrame(3, 9), wholeFrame(10, 11)}, after: 1,
			want: summary{Events: []uint64{2, 10, 11}, Gaps: []popup.Gap{{First: 3, Last: 9}}, Last: 11}, covered: 3},
		{name: "progress inside a gap", elements: []string{gapFrame(1, 9)}, after: 4, want: summary{Gaps: []popup.Gap{{First: 5, Last: 9}}, Last: 9}, covered: 1},
		{name: "events rather than their gap", elements: []string{gapFrame(1, 3), wholeFrame(1, 3)}, want: summary{Events: seqs(1, 3), Last: 3}, covered: 2},
		{name: "damaged element", elements: []string{wholeFrame(1, 2), flipped(wholeFrame(3, 4)), wholeFrame(5, 6)}, want: summary{Events: seqs(1, 2), Last: 2}, covered: 2, readErr: journal.ErrFrameDamaged},
		{name: "element damaged further on", elements: []string{wholeFrame(1, 2) + "boo"}, want: summary{}, covered: 1, readErr: journal.ErrFrameDamaged},
		{name: "element cut short", elements: []string{wholeFrame(1, 2)[:50]}, want: summary{}, covered: 1, readErr: journal.ErrFrameShort},
		{name: "empty element", elements: []string{""}, want: summary{}, covered: 1, readErr: journal.ErrFrameDamaged},
		{name: "foreign element", elements: []string{foreign, wholeFrame(1, 1)}, want: summary{Events: seqs(1, 1), Last: 1}, covered: 2, readErr: journal.ErrFrameDamaged},
		{name: "newer version", elements: []string{wholeFrame(1, 2), newerFrame(3, 4), wholeFrame(5, 6)}, want: summary{Events: seqs(1, 2), Last: 2}, covered: 1},
		{name: "newer version in an element", elements: []string{wholeFrame(1, 2) + newerFrame(3, 4)}, want: summary{Events: seqs(1, 2), Last: 2}},
		{name: "event that cannot be decoded", elements: []string{undecodable(1, 4, 3), wholeFrame(5, 5)},
			want: summary{Events: []uint64{1, 2, 5}, Gaps: []popup.Gap{{First: 3, Last: 4}}, Last: 5}, covered: 2, batchErr: popup.ErrEventInvalid},
		{name: "the same, already committed in part", elements: []string{undecodable(1, 4, 2)}, after: 3,
			want: summary{Gaps: []popup.Gap{{First: 4, Last: 4}}, Last: 4}, covered: 1, batchErr: popup.ErrEventInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p peek
			var b popup.Batch
			if err := p.read(peekStream, c.elements); !errors.Is(err, c.readErr) {
				t.Errorf("read: %v, want %v", err, c.readErr)
			}
			if err := p.batch(&b, c.after, batchEvents); !errors.Is(err, c.batchErr) {
				t.Errorf("batch: %v, want %v", err, c.batchErr)
			}
			if b.Stream != peekStream || b.After != c.after {
				t.Errorf("batch of %v after %d", b.Stream, b.After)
			}
			if d := cmp.Diff(c.want, summarize(t, &b)); d != "" {
				t.Errorf("batch (-want +got):\n%s", d)
			}
			if got := p.covered(b.Last); got != c.covered {
				t.Errorf("covered %d elements, want %d", got, c.covered)
			}
		})
	}
}

// TestPeekInPieces takes a long run in several batches.
func TestPeekInPieces(t *testing.T) {
	var p peek
	var b popup.Batch
	if err := p.read(peekStream, []string{wholeFrame(1, 10) + wholeFrame(11, 20), wholeFrame(21, 30)}); err != nil {
		t.Fatal(err)
	}
	after := uint64(0)
	for _, want := range []struct {
		last    uint64
		covered int
	}{{20, 1}, {30, 2}, {30, 2}} {
		if err := p.batch(&b, after, 15); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(summary{Events: seqs(after+1, want.last), Last: want.last}, summarize(t, &b)); d != "" {
			t.Errorf("after %d (-want +got):\n%s", after, d)
		}
		if got := p.covered(b.Last); got != want.covered {
			t.Errorf("covered %d elements, want %d", got, want.covered)
		}
		after = b.Last
	}
}

// TestPeekAnything holds the batch of any list against a set of numbers.
func TestPeekAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, gaps := make(map[uint64]bool), make(map[uint64]bool)
		var elements []string
		for range rapid.IntRange(0, 12).Draw(t, "elements") {
			var element strings.Builder
			for range rapid.IntRange(1, 3).Draw(t, "frames") {
				first := rapid.IntRange(1, 30).Draw(t, "first")
				last := first + rapid.IntRange(0, 5).Draw(t, "more")
				into := events
				if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
					into = gaps
					element.WriteString(gapFrame(first, last))
				} else {
					element.WriteString(wholeFrame(first, last))
				}
				for n := first; n <= last; n++ {
					into[uint64(n)] = true
				}
			}
			elements = append(elements, element.String())
		}
		after := rapid.Uint64Range(0, 20).Draw(t, "after")
		var p peek
		var b popup.Batch
		if err := p.read(peekStream, elements); err != nil {
			t.Fatal(err)
		}
		if err := p.batch(&b, after, batchEvents); err != nil {
			t.Fatal(err)
		}
		last := after
		for events[last+1] || gaps[last+1] {
			last++
		}
		if b.Last != last {
			t.Fatalf("batch ends at %d, want %d", b.Last, last)
		}
		next, list, lost := after+1, b.Events, b.Gaps
		for next <= last {
			switch {
			case len(list) > 0 && list[0].Seq == next && events[next]:
				list = list[1:]
				next++
			case len(lost) > 0 && lost[0].First == next:
				for ; next <= lost[0].Last; next++ {
					if !gaps[next] {
						t.Fatalf("event %d was declared lost", next)
					}
				}
				lost = lost[1:]
			default:
				t.Fatalf("nothing has seq %d", next)
			}
		}
		if len(list)+len(lost) > 0 {
			t.Fatalf("the batch holds more than %d to %d", after+1, last)
		}
	})
}

func FuzzPeek(f *testing.F) {
	f.Add([]byte(wholeFrame(1, 3)), []byte(gapFrame(4, 5)), uint64(1))
	f.Add([]byte("boo"), []byte{}, uint64(0))
	f.Fuzz(func(t *testing.T, one, two []byte, after uint64) {
		var p peek
		var b popup.Batch
		_ = p.read(peekStream, []string{string(one), string(two)}) // anything may be wrong with it
		_ = p.batch(&b, after, batchEvents)
		if b.After != after || b.Last < after {
			t.Fatalf("batch %d to %d after %d", b.After+1, b.Last, after)
		}
		if n := uint64(len(b.Events)); n > b.Last-after {
			t.Fatalf("%d events in %d to %d", n, after+1, b.Last)
		}
	})
}

// peekOf returns elements of n events in all, as a busy server ships them.
func peekOf(n int) (elements []string) {
	var element []byte
	rnd := rand.New(rand.NewPCG(1, 1))
	for first := 1; first <= n; {
		count := min(1+rnd.IntN(3), n-first+1)
		element = journal.AppendEvents(element, peekStream, uint64(first), testEvents(first, count))
		if len(element) >= elementBytes-journal.MaxFrameSize/8 {
			elements = append(elements, string(element))
			element = element[:0]
		}
		first += count
	}
	return append(elements, string(element))
}

// BenchmarkHotPeek is what a flusher does before MySQL.
func BenchmarkHotPeek(b *testing.B) {
	const events = 8000
	elements := peekOf(events)
	var p peek
	var batch popup.Batch
	b.ReportAllocs()
	for b.Loop() {
		if err := p.read(peekStream, elements); err != nil {
			b.Fatal(err)
		}
		if err := p.batch(&batch, 0, batchEvents); err != nil || batch.Last != events {
			b.Fatal(batch.Last, err)
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// Frames of events are told as heard, gaps and what cannot be read are not: the database
// says what became of those.
func TestDecodeTellsOfFrames(t *testing.T) {
	var frames, events []uint64
	_, err := decode([]byte(wholeFrame(1, 2)+gapFrame(3, 4)+newerFrame(5, 6)+wholeFrame(7, 7)), func(popup.StreamID) bool { return false },
		func(e *popup.Event) { events = append(events, e.Seq) },
		func(_ popup.StreamID, first, last uint64) { frames = append(frames, first, last) }, nil)
	if want := []uint64{1, 2, 7}; err != nil || !slices.Equal(events, want) {
		t.Errorf("events %v, %v; want %v", events, err, want)
	}
	if want := []uint64{1, 2, 7, 7}; !slices.Equal(frames, want) {
		t.Errorf("frames %v, want %v", frames, want)
	}
}
