//go:build unix

package netsock

import "syscall"

// exhausted are the errors of accept(2) that pass by themselves.
var exhausted = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}

// DescriptorLimit returns how many descriptors the process may have open, and
// false if that is not known.
func DescriptorLimit() (limit uint64, ok bool) {
	var rlimit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &rlimit)
	return uint64(rlimit.Cur), err == nil
}
