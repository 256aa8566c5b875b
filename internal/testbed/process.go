package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// errNotStarted says that there is no process to send a signal to.
var errNotStarted = errors.New("not started")

// Process is a program that a testbed has started. It may be ended and started
// again, on the same address and data, until it is closed.
type Process struct {
	ctx     context.Context
	program Program
	// prepare changes the program before each start; nil: nothing changes.
	prepare func(*Program) error
	output  *output

	mu      sync.Mutex
	closed  bool
	cmd     *exec.Cmd     // of the last start; nil: there was none
	exited  chan struct{} // closed when cmd has been waited for
	readied <-chan struct{}
	ending  bool // cmd was told to end
	starts  int
	crashes []string
}

// Start starts the program and returns when it is ready.
func (p *Process) Start() error {
	if err := p.Spawn(); err != nil {
		return err
	}
	if err := p.waitUntilReady(); err != nil {
		p.Kill()
		if p.ctx.Err() != nil { // which may be why it ended
			err = p.ctx.Err()
		}
		return err
	}
	return nil
}

// Spawn starts the program and does not wait until it is ready.
func (p *Process) Spawn() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	if p.prepare != nil {
		if err := p.prepare(&p.program); err != nil {
			return fmt.Errorf("start %s: %w", p.program.Name, err)
		}
	}
	args, err := p.program.command()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.program.Name, err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = p.program.Dir
	cmd.Env = append(Environ(), p.program.Env...)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if p.program.StderrOnly {
		cmd.Stdout = nil
	}
	cmd.ExtraFiles = p.program.Files
	cmd.WaitDelay = time.Second // should it leave children with its stdout
	dieWithParent(cmd, p.program.killedBy())
	readied := p.output.expect(p.program.Ready)
	exited, started := make(chan struct{}), make(chan error)
	go p.run(cmd, started, exited)
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.program.Name, err)
	}
	p.cmd, p.exited, p.readied, p.ending = cmd, exited, readied, false
	p.starts++
	return nil
}

// run starts a command, waits for its end and says when it has come.
func (p *Process) run(cmd *exec.Cmd, started chan<- error, exited chan<- struct{}) {
	// The kernel sends the parent-death signal when the thread that forked ends
	// (prctl(2)), so the thread waits for as long as the process lives.
	runtime.LockOSThread()
	err := cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = cmd.Wait() // how it ended is in its ProcessState
	p.mu.Lock()
	if !p.ending {
		p.crashes = append(p.crashes, cmd.ProcessState.String())
	}
	p.mu.Unlock()
	close(exited)
}

// waitUntilReady waits for the line that says so, and then for the probe.
func (p *Process) waitUntilReady() error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	p.mu.Lock()
	exited, readied := p.exited, p.readied
	p.mu.Unlock()
	step := func(next <-chan struct{}, ticks <-chan time.Time) error {
		select {
		case <-next:
			return nil
		case <-ticks:
			return nil
		case <-exited:
			select {
			case <-next: // it was ready before it ended
				return nil
			default:
			}
			return fmt.Errorf("%s ended while starting:\n%s", p.program.Name, p.Log())
		case <-p.ctx.Done():
			return p.ctx.Err()
		case <-timeout.C:
			return fmt.Errorf("%s is not ready after %v:\n%s", p.program.Name, patience, p.Log())
		}
	}
	if err := step(readied, nil); err != nil || p.program.Probe == nil {
		return err
	}
	for p.program.Probe() != nil {
		if err := step(nil, tick.C); err != nil {
			return err
		}
	}
	return nil
}

// last returns the command of the last start, nil when there was none, and the
// channel that tells of its end.
func (p *Process) last() (*exec.Cmd, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd, p.exited
}

// Name is what the program was called when it was started.
func (p *Process) Name() string { return p.program.Name }

// Pid is the process id of the last start, also after its end, 0 before the
// first.
func (p *Process) Pid() int {
	cmd, _ := p.last()
	if cmd == nil {
		return 0
	}
	return cmd.Process.Pid
}

// Log is what the program has printed since it was first started, on stdout and
// stderr.
func (p *Process) Log() string { return p.output.String() }

// Starts is how often the program was started.
func (p *Process) Starts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// Crashes says how the program ended each time that nobody had told it to.
func (p *Process) Crashes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crashes
}

// ExpectEnd says that the running program will end by itself, which then is no
// crash.
func (p *Process) ExpectEnd() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
}

// Signal sends a signal and does not wait. SIGTERM tells the program to end.
func (p *Process) Signal(sig os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return fmt.Errorf("signal %s: %w", p.program.Name, errNotStarted)
	}
	p.ending = p.ending || sig == syscall.SIGTERM
	return p.cmd.Process.Signal(sig)
}

// Kill ends the program at once, as kill -9 does, and waits until it is gone. It
// may be called again.
func (p *Process) Kill() { _ = p.end(p.program.killedBy()) }

// Stop ends the program in order and waits until it is gone; after a minute it
// kills it and returns an error. It may be called again.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

func (p *Process) end(sig os.Signal) error {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.ending = true
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	_ = cmd.Process.Signal(sig) // it may have ended already
	select {
	case <-exited:
		return nil
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-exited
		return fmt.Errorf("%s did not end within %v of %v", p.program.Name, patience, sig)
	}
}

// Close is Kill, after which the program cannot be started again.
func (p *Process) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Kill()
}

// Restart kills the program, if it runs, and starts it again.
func (p *Process) Restart() error {
	p.Kill()
	return p.Start()
}

// Exited is closed when the last start has ended.
func (p *Process) Exited() <-chan struct{} {
	_, exited := p.last()
	return exited
}

// State is how the last start ended, nil while it runs.
func (p *Process) State() *os.ProcessState {
	cmd, exited := p.last()
	if cmd == nil {
		return nil
	}
	select {
	case <-exited:
		return cmd.ProcessState
	default:
		return nil
	}
}

// Wait waits until the program ends by itself. It returns an error with the log
// if it fails, and that of ctx, after killing it, if that ends first.
func (p *Process) Wait(ctx context.Context) error {
	p.ExpectEnd()
	select {
	case <-p.Exited():
	case <-ctx.Done():
		p.Kill()
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !p.State().Success():
		return fmt.Errorf("%s: %s\n%s", p.program.Name, p.State(), p.Log())
	}
	return nil
}

// CPU returns the user and system time that the last start has used so far, or
// used in all when it has ended.
func (p *Process) CPU() (time.Duration, error) {
	if state := p.State(); state != nil {
		return state.UserTime() + state.SystemTime(), nil
	}
	return CPU(p.Pid())
}
