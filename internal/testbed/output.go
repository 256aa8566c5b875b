package testbed

import (
	"bytes"
	"sync"
)

// output keeps what a process prints, over all its runs, and looks for the line
// that says that a run is ready.
type output struct {
	mu      sync.Mutex
	all     bytes.Buffer
	line    int                    // where the line begins that is not complete yet
	ready   func(line string) bool // nil: nobody waits for a line
	readied chan struct{}          // closed by that line
}

// expect returns a channel that is closed when a line to come is the one that
// ready looks for; at once where ready is nil.
func (o *output) expect(ready func(line string) bool) (readied <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.line, o.ready, o.readied = o.all.Len(), ready, make(chan struct{})
	if ready == nil {
		close(o.readied)
	}
	return o.readied
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.Write(b)
	for o.ready != nil {
		line, _, complete := bytes.Cut(o.all.Bytes()[o.line:], []byte("\n"))
		if !complete {
			break
		}
		o.line += len(line) + 1
		if o.ready(string(line)) {
			o.ready = nil
			close(o.readied)
		}
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}
