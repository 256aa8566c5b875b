package queue

import (
	"slices"
	"testing"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// All that is in the lists is told of, of whatever length they are, and what cannot be
// read stops nothing.
func TestShipped(t *testing.T) {
	client := inProcess(t)
	r := newRig(t, client)
	long, broken, gone := popup.StreamID{1}, popup.StreamID{2}, popup.StreamID{3}
	var want []string
	for n := range 3*shippedPage + 1 {
		events := testEvents(n, 2)
		for _, e := range events {
			want = append(want, string(e.User))
		}
		r.do("RPUSH", listKey("test", long.String()), string(journal.AppendEvents(nil, long, uint64(2*n+1), events)))
	}
	r.do("RPUSH", listKey("test", long.String()), "boo")
	r.do("SET", listKey("test", broken.String()), "not a list")
	var got []string
	frames := map[uint64]bool{} // by their first event
	if err := Shipped(t.Context(), client, "test", []popup.StreamID{broken, gone, long}, func(e *popup.Event) {
		got = append(got, string(e.User))
	}, func(stream popup.StreamID, first, last uint64) {
		if stream != long || last != first+1 {
			t.Errorf("a frame of stream %v, %d to %d", stream, first, last)
		}
		frames[first] = true
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(frames) != len(want)/2 {
		t.Errorf("told of %d frames, want %d", len(frames), len(want)/2)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	client.Close()
	if err := Shipped(t.Context(), client, "test", []popup.StreamID{long}, func(*popup.Event) {}, nil); err == nil {
		t.Error("no error of a client that is closed")
	}
}
