package stores

import "syscall"

// dieWithParent makes the kernel kill a process when its parent dies.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
