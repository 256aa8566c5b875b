//go:build !linux

package storetest

import "syscall"

// dieWithParent is Linux only: elsewhere a killed test binary leaves its
// servers behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
