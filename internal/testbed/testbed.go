// Package testbed starts what tests and benchmarks need around them: popupd,
// MariaDB, Redis, nginx and any other program, each on a free port of loopback,
// with its files in one temporary directory and nothing of the host's
// configuration.
//
// Nothing outlives a [Testbed]: its processes are killed by [Testbed.Close],
// when the context given to [New] ends, and (on Linux) by the kernel when the
// program that made it is killed; the directory that remains then is removed by
// the next [New].
//
// What measures or checks does not live here, nor does anything that knows
// package testing: internal/storetest and e2e wrap these processes for tests.
package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// errClosed says that a testbed, or a process of it, starts nothing any more.
var errClosed = errors.New("the testbed is closed")

// Testbed owns a temporary directory and every process started with it. Its
// methods may be called at once.
type Testbed struct {
	ctx    context.Context // ends with the testbed
	cancel context.CancelFunc
	dir    string
	unlock func()      // of the directory
	detach func() bool // from the context given to New
	once   sync.Once

	building sync.Mutex
	binaries map[string]string // built so far, by module, package and flags

	mu        sync.Mutex
	closed    bool
	number    int        // of directories handed out
	processes []*Process // in the order of their starts
}

// New makes the directory, after removing those of testbeds whose program was
// killed. The testbed closes itself when ctx ends.
func New(ctx context.Context) (*Testbed, error) {
	removeAbandoned()
	dir, unlock, err := newOwnedDir()
	if err != nil {
		return nil, fmt.Errorf("directory of a testbed: %w", err)
	}
	b := &Testbed{dir: dir, unlock: unlock, binaries: make(map[string]string)}
	b.ctx, b.cancel = context.WithCancel(ctx)
	b.detach = context.AfterFunc(ctx, b.end)
	return b, nil
}

// Close kills all processes, waits for them and removes the directory. It may be
// called again.
func (b *Testbed) Close() {
	b.detach()
	b.end()
}

func (b *Testbed) end() {
	b.once.Do(func() {
		b.cancel()
		b.building.Lock() // waits for a build, which the context has ended
		defer b.building.Unlock()
		b.mu.Lock()
		b.closed = true
		processes := b.processes
		b.mu.Unlock()
		for _, p := range slices.Backward(processes) {
			p.Close()
		}
		os.RemoveAll(b.dir)
		b.unlock()
	})
}

// Dir is the directory; what a benchmark writes there goes with the testbed.
func (b *Testbed) Dir() string { return b.dir }

// newDir returns the path of a directory that does not exist yet.
func (b *Testbed) newDir(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.number++
	return filepath.Join(b.dir, fmt.Sprintf("%s-%d", name, b.number))
}

// Start starts a program and returns when it is ready.
func (b *Testbed) Start(program Program) (*Process, error) {
	p := b.newProcess(program)
	if err := p.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// newProcess returns a process that the testbed ends, and that has not been
// started.
func (b *Testbed) newProcess(program Program) *Process {
	if program.Dir == "" {
		program.Dir = b.dir
	}
	p := &Process{ctx: b.ctx, program: program, output: &output{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	p.closed = b.closed
	b.processes = append(b.processes, p)
	return p
}
