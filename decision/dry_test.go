package decision

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// dump returns everything that the table remembers.
func (f *fixture) dump() []byte {
	f.Helper()
	path := filepath.Join(f.TempDir(), "dump")
	if err := f.users.Dump(path, nil, nil); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// said returns what a decision came to.
func (d *Decision) said() string {
	s := fmt.Sprint(d.Reason, d.Limited, d.NextPollSec)
	for _, w := range d.Winners {
		s += fmt.Sprint(" ", w.Popup.Key, string(w.Variant.Key), w.ServedAtMS, w.Placement)
	}
	for _, e := range d.Events {
		s += fmt.Sprintf(" %+v", e)
	}
	return s
}

// A dry decision comes to what a real one does, and leaves the table as it was, byte for byte.
func TestDry(t *testing.T) {
	f := newCapped(t, twoAnHour+","+oneSale, sale, often, often+`,"priority":1,"variants":[{"key":"none","control":true}]`,
		`"placements":["top"],"frequency":{"max_impressions":2,"after_impression_sec":60}`)
	f.users.SetMinGap(time.Minute)
	requests := []*popup.Request{
		{User: []byte("u")},
		{User: []byte("u"), PriorUser: []byte("v")},
		{User: []byte("v"), Placements: [][]byte{[]byte("top"), []byte("default")}},
	}
	var dry Decision
	served := 0
	for i := range 60 {
		f.advance(7 * time.Minute)
		r := requests[i%len(requests)]
		before := f.dump()
		dry.Dry(f.snap, f.users, r, f.nowMS)
		dry.Dry(f.snap, f.users, r, f.nowMS) // nor does the first one change the second
		if !bytes.Equal(before, f.dump()) {
			t.Fatalf("poll %d: a dry decision changed the table", i)
		}
		f.Decide(f.snap, f.users, r, f.nowMS, nil)
		if got, want := dry.said(), f.said(); got != want {
			t.Fatalf("poll %d: dry\n%s\nreal\n%s", i, got, want)
		}
		served += len(f.Winners)
	}
	if served < 10 || served > 50 {
		t.Errorf("%d served: want some polls with and some without", served)
	}
}

// A dry decision asks nobody whether a new user may be, and remembers nobody.
func TestDryOfANewUser(t *testing.T) {
	f := newFixture(t, frequency.Config{}, often)
	before := f.dump()
	f.Dry(f.snap, f.users, &popup.Request{User: []byte("stranger")}, f.nowMS)
	if len(f.Winners) != 1 || f.Limited || !bytes.Equal(before, f.dump()) {
		t.Errorf("%d winners, limited: %v", len(f.Winners), f.Limited)
	}

	f = newFixture(t, frequency.Config{MaxBytes: 1}, often)
	f.Dry(f.snap, f.users, &popup.Request{User: []byte("stranger")}, f.nowMS)
	f.because(popup.StateFull)
	f.sees("stranger", "")
	f.because(popup.StateFull)
}
