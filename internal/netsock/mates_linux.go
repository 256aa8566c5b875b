package netsock

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// mayShare reports whether a mate listens on an address.
func (b *Bound) mayShare(addr net.Addr) bool {
	return b.mates != nil && b.mates.At(addr.String())
}

// share lets a socket have an address together with others of the same user that are
// shared, too (socket(7), SO_REUSEPORT).
func share(fd int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
}

// lead gives all new connections of an address to the second socket that listens on it: the
// sockets are counted from 0, in the order in which they came, and where there is no second
// one the kernel chooses. When the first is closed, the last takes its number, and so the
// next to come will be the second again.
//
// A socket that is closed takes the connections with it that wait to be accepted. So
// whoever leaves must get none for a while before, which the kernel, left alone, would give
// to both of them by chance.
func lead(fd int) error {
	program := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 1}}
	return os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &unix.SockFprog{Len: 1, Filter: &program[0]}))
}
