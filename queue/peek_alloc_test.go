//go:build !race

package queue

import (
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestPeekDoesNotAllocate holds for every look but the first.
func TestPeekDoesNotAllocate(t *testing.T) {
	elements := peekOf(2000)
	var p peek
	var b popup.Batch
	look := func() {
		if err := p.read(peekStream, elements); err != nil {
			t.Fatal(err)
		}
		if err := p.batch(&b, 0, batchEvents); err != nil || b.Last != 2000 {
			t.Fatal(b.Last, err)
		}
	}
	look()
	if n := testing.AllocsPerRun(20, look); n > 0 {
		t.Errorf("%v allocations a look at %d elements", n, len(elements))
	}
}
