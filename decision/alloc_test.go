//go:build !race

package decision

import (
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// No decision allocates, whatever it comes to.
func TestNoAllocations(t *testing.T) {
	check := func(name string, decide func()) {
		t.Helper()
		for range 20 {
			decide()
		}
		if n := testing.AllocsPerRun(200, decide); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	f, r := waiting(t, 200)
	check("waits for all that fits", func() { f.Decide(f.snap, f.users, r, f.nowMS, nil) })
	check("dry", func() { f.Dry(f.snap, f.users, r, f.nowMS) })

	f = newFixture(t, frequency.Config{}, often, often, often+`,"priority":1,"variants":[{"key":"none","control":true}]`)
	everybody := budget(1 << 30)
	serve := func() {
		f.advance(time.Second)
		f.Decide(f.snap, f.users, r, f.nowMS, &everybody)
		if len(f.Winners) != 1 || len(f.Events) != 2 {
			t.Fatalf("%v, %d events: want a popup and a control", f.Reason, len(f.Events))
		}
	}
	check("served after a control", serve)
	r.Placements = [][]byte{[]byte("nowhere"), []byte("default"), []byte("top")}
	check("served in one of several placements", serve)
	r.Placements = nil
	check("undone", func() {
		serve()
		f.Undo(f.users, r)
		f.Release()
	})

	f = newCapped(t, twoAnHour+","+oneSale, sale, often, often)
	r.PriorUser = []byte("before")
	check("now and then stopped by caps", func() {
		f.advance(10 * time.Minute)
		f.Decide(f.snap, f.users, r, f.nowMS, &everybody)
	})
	if f.Reason != popup.CapFull {
		t.Fatalf("%v, want it to be stopped by caps", f.Reason)
	}
	r.PriorUser = nil

	f = newFixture(t, frequency.Config{}, often)
	var nobody budget
	stranger := &popup.Request{User: []byte("v")}
	check("a new user who is not admitted", func() { f.Decide(f.snap, f.users, stranger, f.nowMS, &nobody) })
}
