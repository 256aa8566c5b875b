package follow

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Popups are compacted once there has been no change for a while, and once only.
func TestCompactsWhenQuiet(t *testing.T) {
	swaps, changes := 0, 0
	w := New(snapshot.NewStore(), Config{OnSwap: func(*snapshot.Snapshot) { swaps++ }})
	change := func(n int) {
		for range n {
			changes++
			w.apply(t.Context(), popup.CatalogChange{Revision: int64(changes), Popups: []popup.Row{row(uint32(changes), "")}})
		}
	}
	compacts := func(want bool) {
		t.Helper()
		before, was := w.store.Current(), swaps
		w.compact()
		if is := w.store.Current() != before; is != want || swaps-was > 1 || swaps > was != want {
			t.Errorf("compacted: %v, want %v; OnSwap was called %d times", is, want, swaps-was)
		}
	}
	change(100)
	compacts(false)
	w.swapped = w.swapped.Add(-quiet - time.Second)
	compacts(true)
	compacts(false) // it has only just been done
	w.swapped = w.swapped.Add(-time.Hour)
	compacts(false) // nothing has changed since
	change(1)
	compacts(false)
	w.swapped = w.swapped.Add(-quiet - time.Second)
	compacts(true)
	if got := w.store.Current(); got.Len() != changes || got.Revision != int64(changes) {
		t.Errorf("%d popups of revision %d", got.Len(), got.Revision)
	}
}
