//go:build !linux

package stores

import "syscall"

// dieWithParent is Linux only: elsewhere a killed parent leaves its processes
// behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
