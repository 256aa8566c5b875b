// Package stores runs a private mariadbd and a private redis-server, for tests
// and benchmarks: on loopback, in a directory of the caller's, with nothing of
// the host's configuration. They die with the process that started them.
package stores

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

// MissingError says that a program is not installed, and how to install it.
type MissingError struct {
	Binary  string
	Package string // of Debian
}

// Error gives both as one line.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not installed; install it: apt-get install %s", e.Binary, e.Package)
}

// LookPath finds a binary in the PATH or where distributions put servers, which
// is not in the PATH of everybody.
func LookPath(binary string) (string, error) {
	path, err := exec.LookPath(binary)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, binary)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// Spawn starts cmd and lets the kernel kill it when this process ends (on
// Linux). The channel is closed when cmd has ended and has been waited for: its
// ProcessState is set by then.
func Spawn(cmd *exec.Cmd) (exited <-chan struct{}, err error) {
	cmd.SysProcAttr = dieWithParent()
	started, done := make(chan error), make(chan struct{})
	go func() {
		// The kernel sends the parent-death signal when the thread that forked
		// ends (prctl(2)), so the thread waits for as long as the process lives.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its ProcessState
		}
		close(done)
	}()
	return done, <-started
}
