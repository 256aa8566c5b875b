//go:build !linux

package testbed

import (
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// dieWithParent is Linux only: elsewhere a killed program leaves its processes
// behind.
func dieWithParent(*exec.Cmd, syscall.Signal) {}

// killGroupOnCancel is Linux only: elsewhere an interrupted build may leave its
// compilers behind.
func killGroupOnCancel(cmd *exec.Cmd) { cmd.WaitDelay = time.Second }

// lockDir is Linux only: elsewhere the directories of killed programs stay.
func lockDir(string) (unlock func(), owned bool, err error) { return nil, false, errors.ErrUnsupported }

// sigUSR2 is Linux only: elsewhere no HAProxy is run.
const sigUSR2 = syscall.Signal(0)
