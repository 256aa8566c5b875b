package netsock

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// BoundTo returns the address of a TCP socket that listens already: the service manager has
// opened it, and passes it to one process after the other. Connections that come while
// there is none wait in the kernel. The socket gets the options of [Bind]. It takes fd over.
//
// The address has no mates. Who opens it finds it taken. Two processes that are passed the
// same socket take connections from one queue, which neither of them closes.
func BoundTo(fd int) (*Bound, error) {
	addr, err := passed(fd)
	if err == nil {
		err = setOptions(fd)
	}
	if err != nil {
		return nil, err
	}
	return &Bound{fd: fd, addr: addr, passed: true}, nil
}

// ListenOn returns a listener of package net on such a socket. It takes fd over.
func ListenOn(fd int) (net.Listener, error) {
	if _, err := passed(fd); err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "tcp")
	defer file.Close() // FileListener has a descriptor of its own
	return net.FileListener(file)
}

var errNotListening = errors.New("not a TCP socket that listens")

// passed returns the address of a socket that was passed, which may be anything, and has its
// descriptor end with this program and never block.
func passed(fd int) (net.Addr, error) {
	for _, want := range []struct{ option, value int }{{syscall.SO_TYPE, syscall.SOCK_STREAM}, {syscall.SO_ACCEPTCONN, 1}} {
		value, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, want.option)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNotListening, os.NewSyscallError("getsockopt", err))
		}
		if value != want.value {
			return nil, errNotListening
		}
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return nil, os.NewSyscallError("getsockname", err)
	}
	addr := tcpAddr(name, "")
	if addr.IP == nil {
		return nil, errNotListening
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if name, ok := name.(*syscall.SockaddrInet6); ok && name.ZoneId != 0 {
		if i, err := net.InterfaceByIndex(int(name.ZoneId)); err == nil {
			addr.Zone = i.Name
		}
	}
	return addr, nil
}
