package main

import (
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// TestArchivedPopupsAreForgotten: the state of an archived popup is swept; that
// of a popup which comes back, as with a restored database, is kept.
func TestArchivedPopupsAreForgotten(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	s := &state{table: frequency.New(frequency.Config{}), archived: make(map[uint32]bool)}
	with, broken := snapshot.Compile([]popup.Row{{ID: 1, Version: 1, Key: "one", Spec: []byte(`{"key":"one","status":"active"}`)}}, 1, nil)
	if len(broken) > 0 {
		t.Fatal(broken[0].Err)
	}
	without, _ := snapshot.Compile(nil, 2, with)
	remembered := func() (n int) {
		for range 100 { // a sweep looks at a piece of the table
			s.table.Sweep(now)
		}
		s.table.States([]byte("u"), func(uint32, popup.State) { n++ })
		return n
	}
	show := func() {
		s.table.Merge(&popup.Event{
			AtMS: now, ServedAtMS: now, User: []byte("u"), Popup: 1, Version: 1, Action: popup.Impression, Nth: 1, ReadyAtMS: now + 86_400_000,
		})
	}

	s.swapped(with)
	show()
	if n := remembered(); n != 1 {
		t.Fatalf("%d states of an active popup, want 1", n)
	}
	s.swapped(without)
	if n := remembered(); n != 0 {
		t.Errorf("%d states of an archived popup, want none", n)
	}
	s.swapped(with)
	show()
	if n := remembered(); n != 1 {
		t.Errorf("%d states of a popup that came back, want 1", n)
	}
}
