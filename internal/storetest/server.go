package storetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// patience is how long a server may take to start or to stop.
const patience = 60 * time.Second

// Server is a private mariadbd or redis-server. Its methods are not safe for
// concurrent use.
type Server struct {
	Addr string // host:port, the same after a restart

	name  string
	dir   string
	args  []string            // of the command line; the first is the binary
	ready func(*Server) error // reports whether it answers

	process *os.Process
	exited  chan struct{} // closed when process has been waited for
}

// freeAddr returns a loopback address nobody listens on.
func freeAddr() (addr string, port int, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", 0, fmt.Errorf("find a free port: %w", err)
	}
	defer ln.Close()
	return ln.Addr().String(), ln.Addr().(*net.TCPAddr).Port, nil
}

// start runs the server and returns once it answers.
func (s *Server) start() error {
	out, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(s.args[0], s.args[1:]...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = dieWithParent()

	started, exited := make(chan error), make(chan struct{})
	go func() {
		// The kernel sends the parent-death signal when the thread that forked
		// ends (prctl(2)), so the thread waits for as long as the server lives.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
		close(exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.process, s.exited = cmd.Process, exited
	return s.awaitReady()
}

func (s *Server) awaitReady() error {
	deadline := time.Now().Add(patience)
	for {
		err := s.ready(s)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%s ended while starting:\n%s", s.name, s.Log())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.Kill()
			return fmt.Errorf("%s does not answer after %v: %w\n%s", s.name, patience, err, s.Log())
		}
	}
}

// Pid returns the server's process id, 0 when it is not running.
func (s *Server) Pid() int {
	if s.process == nil {
		return 0
	}
	return s.process.Pid
}

// Signal sends sig to the server, for SIGSTOP and SIGCONT.
func (s *Server) Signal(sig os.Signal) error { return s.process.Signal(sig) }

// Kill ends the server at once, as kill -9 does, and waits until it is gone.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server in order and waits until it is gone. It may be called
// again.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(sig syscall.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Signal(sig) // it may have ended already
	select {
	case <-s.exited:
	case <-time.After(patience):
		_ = s.process.Kill()
		<-s.exited
	}
	s.process = nil
}

// Restart starts the server again on the same address and data, after killing
// it if it runs.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Log returns what the server has printed since it was first started.
func (s *Server) Log() string {
	b, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (s *Server) logFile() string { return s.dir + ".log" }

// launch starts a new server that make describes. A port found free may be
// taken by the time the server binds it, so it tries a few.
func launch(t testing.TB, describe func(addr string, port int) *Server) *Server {
	t.Helper()
	var err error
	for range 3 {
		var addr string
		var port int
		if addr, port, err = freeAddr(); err != nil {
			t.Fatal(err)
		}
		s := describe(addr, port)
		if err = s.start(); err == nil {
			return s
		}
	}
	t.Fatal(err)
	return nil
}
