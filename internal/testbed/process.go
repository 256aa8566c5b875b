package testbed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/stores"
)

// patience is how long a program may take to be ready.
const patience = 60 * time.Second

// Program says what to start.
type Program struct {
	Name  string
	Args  []string // the first is the binary
	Env   []string // added to the environment, less what popupd reads of it
	Cores string   // as for taskset -c; "" is any
	Netns string   // the network namespace by its name of ip-netns(8); "" is this one

	// Ready is called with each line of stdout and stderr until it returns
	// true; nil means ready at once.
	Ready func(line string) bool
}

// command is the whole command line. Neither ip netns exec nor taskset forks, so
// the process that is started is the program itself.
func (p *Program) command() []string {
	var args []string
	if p.Netns != "" {
		args = append(args, "ip", "netns", "exec", p.Netns)
	}
	if p.Cores != "" {
		args = append(args, "taskset", "-c", p.Cores)
	}
	return append(args, p.Args...)
}

// Process is a program that has been started.
type Process struct {
	name   string
	cmd    *exec.Cmd
	exited <-chan struct{}
	out    *output
}

// Start starts a program and returns when it is ready.
func (r *Testbed) Start(p Program) (*Process, error) {
	process, err := r.spawn(p)
	if err != nil {
		return nil, err
	}
	if p.Ready == nil {
		return process, nil
	}
	select {
	case <-process.out.readied:
		return process, nil
	case <-process.exited:
		err = fmt.Errorf("%s ended while starting:\n%s", p.Name, process.Log())
	case <-r.ctx.Done():
	case <-time.After(patience):
		err = fmt.Errorf("%s is not ready after %v:\n%s", p.Name, patience, process.Log())
	}
	process.Stop()
	if r.ctx.Err() != nil { // which may be why it ended
		err = r.ctx.Err()
	}
	return nil, err
}

func (r *Testbed) spawn(p Program) (*Process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	args := p.command()
	binary, err := stores.LookPath(args[0])
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	out := &output{ready: p.Ready, readied: make(chan struct{})}
	cmd := exec.Command(binary, args[1:]...)
	cmd.Dir = r.dir
	cmd.Env = append(environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second // should it leave children with its stdout
	exited, err := stores.Spawn(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	process := &Process{name: p.Name, cmd: cmd, exited: exited, out: out}
	r.stops = append(r.stops, process.Stop)
	return process, nil
}

// environ is the environment without the variables that popupd reads.
func environ() []string {
	var kept []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "POPUPD_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// Name is what the program was called when it was started.
func (p *Process) Name() string { return p.name }

// Pid is the process id, also after the end.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Log is what the process has printed so far, on stdout and stderr.
func (p *Process) Log() string { return p.out.String() }

// Stop kills the process and waits until it is gone. It may be called again.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.exited
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait waits until the process ends by itself. It returns an error with the
// log if it fails, and that of ctx, after killing it, if that ends first.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.Stop()
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !p.cmd.ProcessState.Success():
		return fmt.Errorf("%s: %s\n%s", p.name, p.cmd.ProcessState, p.Log())
	}
	return nil
}

// CPU returns the user and system time that the process has used so far, or
// used in all when it has ended.
func (p *Process) CPU() (time.Duration, error) {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), nil
	default:
		return CPU(p.Pid())
	}
}

// CPU returns the user and system time of a process so far, in steps of 10 ms,
// see proc_pid_stat(5).
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // a name may hold spaces
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %d fields after the name", pid, len(fields))
	}
	var ticks int64
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// RSS returns the memory of a process that is in RAM, in bytes, see
// proc_pid_statm(5).
func RSS(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0, fmt.Errorf("/proc/%d/statm: %w", pid, err)
	}
	return resident * int64(os.Getpagesize()), nil
}

// output keeps what a process prints and looks for the line that says that it
// is ready.
type output struct {
	readied chan struct{} // closed by that line

	mu    sync.Mutex
	all   bytes.Buffer
	line  int                    // where the line begins that is not complete yet
	ready func(line string) bool // nil from then on
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
