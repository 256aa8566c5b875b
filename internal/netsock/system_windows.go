package netsock

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// exhausted are the errors of AcceptEx and WSASocket that pass by themselves.
var exhausted = []syscall.Errno{windows.WSAEMFILE, windows.WSAENOBUFS}

// DescriptorLimit returns false: Windows has no such limit.
func DescriptorLimit() (limit uint64, ok bool) { return 0, false }
