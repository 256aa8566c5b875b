package snapshot

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// workers returns how many goroutines compile: one for each processor at a start, and one for
// every second processor while there are popups, since polls need the others.
func (c *compiler) workers() int {
	if c.previous.Len() == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return max(1, runtime.GOMAXPROCS(0)/2)
}

// inParallel calls do for 0 to n-1 from so many goroutines. A panic of do is one of the
// caller, which knows what to do about it: in a goroutine it would end the process.
func inParallel(n, workers int, do func(i int)) {
	var next atomic.Int64
	var panicked atomic.Pointer[string]
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					what := fmt.Sprintf("%v\n%s", v, debug.Stack())
					panicked.Store(&what)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
	if what := panicked.Load(); what != nil {
		panic(*what)
	}
}
