// Package testbed starts what a benchmark measures: popupd, its stores and its
// rivals, each pinned to cores, all of it private to one temporary directory.
//
// Nothing outlives a [Testbed]: its processes are killed by [Testbed.Close], when the
// context given to [New] ends, and by the kernel when the benchmark itself is
// killed.
package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/popupd/popupd/internal/stores"
)

var errClosed = errors.New("the testbed is closed")

// Testbed owns a temporary directory and every process started with it. Its methods
// may be called at once.
type Testbed struct {
	ctx    context.Context
	dir    string
	detach func() bool // from ctx
	once   sync.Once

	mu       sync.Mutex
	closed   bool
	number   int               // of directories handed out
	binaries map[string]string // built so far, by module and package
	stops    []func()          // of processes and stores, in the order of their starts
}

// New makes the directory. The testbed closes itself when ctx ends.
func New(ctx context.Context) (*Testbed, error) {
	dir, err := os.MkdirTemp("", "popupd-bench-")
	if err != nil {
		return nil, err
	}
	r := &Testbed{ctx: ctx, dir: dir, binaries: make(map[string]string)}
	r.detach = context.AfterFunc(ctx, r.end)
	return r, nil
}

// Close kills all processes, waits for them and removes the directory. It may be
// called again.
func (r *Testbed) Close() {
	r.detach()
	r.end()
}

func (r *Testbed) end() {
	r.once.Do(func() {
		// A store that is just starting holds the lock until it can be killed.
		r.mu.Lock()
		defer r.mu.Unlock()
		r.closed = true
		for _, stop := range slices.Backward(r.stops) {
			stop()
		}
		os.RemoveAll(r.dir)
	})
}

// Dir is the directory; what a benchmark writes there goes with the testbed.
func (r *Testbed) Dir() string { return r.dir }

// newDirLocked returns the path of a directory that does not exist yet.
func (r *Testbed) newDirLocked(name string) string {
	r.number++
	return filepath.Join(r.dir, fmt.Sprintf("%s-%d", name, r.number))
}

// Build compiles a package of the module in a directory of this repository, "."
// or "bench/rivals", once per Testbed, and returns the path of the binary.
func (r *Testbed) Build(module, pkg string) (binary string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return "", errClosed
	}
	key := module + " " + pkg
	if binary := r.binaries[key]; binary != "" {
		return binary, nil
	}
	root, err := exec.CommandContext(r.ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	name := path.Base(pkg)
	if name == "." {
		name = "popupd"
	}
	binary = filepath.Join(r.newDirLocked("bin"), name)
	cmd := exec.CommandContext(r.ctx, "go", "build", "-o", binary, pkg)
	cmd.Dir = filepath.Join(strings.TrimSpace(string(root)), module)
	// Interrupted, it leaves neither its compilers nor their files.
	cmd.Env = append(os.Environ(), "GOTMPDIR="+r.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if out, err := cmd.CombinedOutput(); err != nil {
		if r.ctx.Err() != nil {
			return "", r.ctx.Err()
		}
		return "", fmt.Errorf("build %s in %s: %w\n%s", pkg, module, err, out)
	}
	r.binaries[key] = binary
	return binary, nil
}

// MySQL starts a mariadbd with an empty database popupd on some cores, as for
// taskset -c; "" is any.
func (r *Testbed) MySQL(cores string, extra ...string) (*stores.Server, error) {
	s, err := r.store("mysql", stores.StartMySQL, cores, extra)
	if err != nil {
		return nil, err
	}
	_, err = s.CreateDatabase("popupd")
	return s, err
}

// Redis starts a redis-server on some cores, as for taskset -c; "" is any.
func (r *Testbed) Redis(cores string, extra ...string) (*stores.Server, error) {
	return r.store("redis", stores.StartRedis, cores, extra)
}

func (r *Testbed) store(name string, start func(string, ...string) (*stores.Server, error), cores string, extra []string) (*stores.Server, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	s, err := start(r.newDirLocked(name), extra...)
	if err != nil {
		return nil, err
	}
	r.stops = append(r.stops, s.Kill)
	if cores != "" {
		err = s.Pin(cores)
	}
	return s, err
}
