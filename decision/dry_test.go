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

// dumpOf returns everything that a table remembers.
func dumpOf(t interface{ Fatal(...any) }, users *frequency.Table) []byte {
	dir, err := os.MkdirTemp("", "popupd")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "dump")
	if err := users.Dump(path, nil, nil); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
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
		before := dumpOf(t, f.users)
		dry.Dry(f.snap, f.users, r, f.nowMS)
		dry.Dry(f.snap, f.users, r, f.nowMS) // nor does the first one change the second
		if !bytes.Equal(before, dumpOf(t, f.users)) {
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
	before := dumpOf(t, f.users)
	f.Dry(f.snap, f.users, &popup.Request{User: []byte("stranger")}, f.nowMS)
	if len(f.Winners) != 1 || f.Limited || !bytes.Equal(before, dumpOf(t, f.users)) {
		t.Errorf("%d winners, limited: %v", len(f.Winners), f.Limited)
	}

	f = newFixture(t, frequency.Config{MaxBytes: 1}, often)
	f.Dry(f.snap, f.users, &popup.Request{User: []byte("stranger")}, f.nowMS)
	f.because(popup.StateFull)
	f.sees("stranger", "")
	f.because(popup.StateFull)
}
