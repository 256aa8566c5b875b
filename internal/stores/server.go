package stores

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// patience is how long a server may take to start or to stop.
const patience = 60 * time.Second

var errNotRunning = errors.New("not running")

// Server is a private mariadbd or redis-server.
type Server struct {
	Addr string // host:port, the same after a restart

	name  string
	dir   string
	args  []string            // of the command line; the first is the binary
	ready func(*Server) error // reports whether it answers

	mu      sync.Mutex
	cores   string
	process *os.Process     // nil: not running
	exited  <-chan struct{} // closed when process has been waited for
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

// launch starts a new server that describe makes. A port found free may be
// taken by the time the server binds it, so it tries a few.
func launch(describe func(addr string, port int) *Server) (*Server, error) {
	var err error
	for range 3 {
		var addr string
		var port int
		if addr, port, err = freeAddr(); err != nil {
			return nil, err
		}
		s := describe(addr, port)
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// start runs the server and returns once it answers.
func (s *Server) start() error {
	out, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	s.mu.Lock()
	args := s.args
	if s.cores != "" {
		args = append([]string{"taskset", "-c", s.cores}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = out, out
	exited, err := Spawn(cmd)
	if err == nil {
		s.process, s.exited = cmd.Process, exited
	}
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	return s.awaitReady(exited)
}

func (s *Server) awaitReady(exited <-chan struct{}) error {
	deadline := time.Now().Add(patience)
	for {
		err := s.ready(s)
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("%s ended while starting:\n%s", s.name, s.Log())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.Kill()
			return fmt.Errorf("%s does not answer after %v: %w\n%s", s.name, patience, err, s.Log())
		}
	}
}

// running returns the process, nil when there is none.
func (s *Server) running() (*os.Process, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process, s.exited
}

// Pid returns the server's process id, 0 when it is not running.
func (s *Server) Pid() int {
	process, _ := s.running()
	if process == nil {
		return 0
	}
	return process.Pid
}

// Pin keeps the server to some cores, as for taskset -c, also when it is
// started again.
func (s *Server) Pin(cores string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cores = cores
	if s.process == nil {
		return nil
	}
	if out, err := exec.Command("taskset", "-a", "-c", "-p", cores, strconv.Itoa(s.process.Pid)).CombinedOutput(); err != nil {
		return fmt.Errorf("pin %s to %s: %w: %s", s.name, cores, err, out)
	}
	return nil
}

// Signal sends sig to the server, for SIGSTOP and SIGCONT.
func (s *Server) Signal(sig os.Signal) error {
	process, _ := s.running()
	if process == nil {
		return fmt.Errorf("signal %s: %w", s.name, errNotRunning)
	}
	return process.Signal(sig)
}

// Kill ends the server at once, as kill -9 does, and waits until it is gone. It
// may be called again.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server in order and waits until it is gone. It may be called
// again.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(sig syscall.Signal) {
	process, exited := s.running()
	if process == nil {
		return
	}
	_ = process.Signal(sig) // it may have ended already
	select {
	case <-exited:
	case <-time.After(patience):
		_ = process.Kill()
		<-exited
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == process {
		s.process = nil
	}
}

// Restart starts the server again on the same address and data, after killing
// it if it runs.
func (s *Server) Restart() error {
	s.Kill()
	return s.start()
}

// Log returns what the server has printed since it was first started.
func (s *Server) Log() string {
	b, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }
