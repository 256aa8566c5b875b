package queue

import (
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestWaiting: the lists of the streams that are asked for, and no others.
func TestWaiting(t *testing.T) {
	client := inProcess(t)
	r := newRig(t, client)
	one, two, gone, broken, other := popup.StreamID{1}, popup.StreamID{2}, popup.StreamID{3}, popup.StreamID{4}, popup.StreamID{5}
	for _, stream := range []popup.StreamID{one, two, two, other} {
		r.do("RPUSH", listKey("test", stream.String()), "element")
	}
	r.do("SET", listKey("test", broken.String()), "not a list")
	if n, err := Waiting(t.Context(), client, "test", []popup.StreamID{one, two, gone, broken}); n != 3 || err != nil {
		t.Errorf("%d elements, %v; want 3", n, err)
	}
	if n, err := Waiting(t.Context(), client, "test", nil); n != 0 || err != nil {
		t.Errorf("%d elements in no lists, %v", n, err)
	}
	client.Close()
	if _, err := Waiting(t.Context(), client, "test", []popup.StreamID{one}); err == nil {
		t.Error("no error of a client that is closed")
	}
}
