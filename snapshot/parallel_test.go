package snapshot

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/popupd/popupd/popup"
)

func TestInParallel(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		for _, workers := range []int{1, 2, 7} {
			done := make([]atomic.Int32, n)
			inParallel(n, workers, func(i int) { done[i].Add(1) })
			for i := range done {
				if got := done[i].Load(); got != 1 {
					t.Errorf("%d workers do %d of %d %d times", workers, i, n, got)
				}
			}
		}
	}
}

// A panic in a worker is one of the caller, and says where it came from.
func TestPanicInParallel(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "broken") || !strings.Contains(got, "TestPanicInParallel") {
			t.Errorf("recovered %s", got)
		}
	}()
	inParallel(100, 2, func(int) { panic("broken") })
	t.Error("the panic of a worker is lost")
}

// TestWorkers: a server that has popups leaves half of the processors to its polls.
func TestWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	full := mustCompile(t, row(1, ``))
	for _, c := range []struct {
		name       string
		previous   *Snapshot
		processors int
		want       int
	}{
		{"without a snapshot", nil, 4, 4},
		{"without popups", &Snapshot{}, 4, 4},
		{"with popups", full, 4, 2},
		{"with popups, on one processor", full, 1, 1},
	} {
		runtime.GOMAXPROCS(c.processors)
		if got := newCompiler(c.previous).workers(); got != c.want {
			t.Errorf("%s: %d workers, want %d", c.name, got, c.want)
		}
	}
	if s, broken := Compile(popup.Catalog{Revision: 2, Popups: []popup.Row{row(1, ``), row(2, ``)}}, full); s.Len() != 2 || len(broken) != 0 {
		t.Errorf("%d popups, broken: %v", s.Len(), broken)
	}
}
