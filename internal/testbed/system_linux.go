package testbed

import (
	"os"
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel send a process a signal when its parent dies.
func dieWithParent(cmd *exec.Cmd, signal syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: signal}
}

// killGroupOnCancel gives a command that was made with a context its own process
// group, and kills all of it when the context ends.
func killGroupOnCancel(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// lockDir locks a directory against other programs. It is not owned if another
// program holds the lock, or has removed the directory meanwhile. The lock ends
// with this program.
func lockDir(dir string) (unlock func(), owned bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, false, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if err == syscall.EWOULDBLOCK {
			return nil, false, nil
		}
		return nil, false, os.NewSyscallError("flock", err)
	}
	locked, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, false, err
	}
	if there, err := os.Stat(dir); err != nil || !os.SameFile(there, locked) {
		f.Close()
		return nil, false, nil
	}
	return func() { f.Close() }, true, nil
}

// sigUSR2 has HAProxy's master read its file again.
const sigUSR2 = syscall.SIGUSR2
