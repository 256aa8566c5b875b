package netsock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
)

// Bound is a TCP address that this process has, and on which it does not listen
// yet: the kernel refuses connections, so that clients go elsewhere at once. Its
// methods are for one goroutine.
type Bound struct {
	fd     int // -1 after Listen or Close
	addr   net.Addr
	mates  Mates // nil: the address is shared with nobody
	passed bool  // others have the socket too
}

// deferAccept is for how many seconds the kernel keeps a connection that sends
// nothing to itself.
const deferAccept = 1

// errBound ends net's listen, which has no step between bind(2) and listen(2).
var errBound = errors.New("bound")

// Bind binds a TCP address as net.Listen does. It returns the error of a listener
// on an address that is taken, unless one of the mates has it: see [Mates]. Of two
// processes that have both bound an address and not listened yet, the second gets that
// error from [Bound.Listen] (socket(7), SO_REUSEADDR).
//
// Beside those of [ListenPortable] the socket has options that connections inherit
// (tcp(7)):
//   - TCP_DEFER_ACCEPT: a connection is accepted when its request is there, so
//     the first read is not in vain. One third of the CPU of a connection that
//     asks once.
//   - TCP_NODELAY: as net sets it, but once.
//   - SO_TIMESTAMPNS: the kernel notes when each packet arrives. Where it cannot,
//     there are no stamps.
func Bind(ctx context.Context, address string, mates Mates) (*Bound, error) {
	b := &Bound{fd: -1, mates: mates}
	config := listenConfig()
	config.Control = func(_, resolved string, c syscall.RawConn) error {
		err := b.bind(c, resolved)
		if err == nil {
			err = errBound // net closes its descriptor, b.fd keeps the socket
		}
		return err
	}
	ln, err := config.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		ln.Close()
		return nil, fmt.Errorf("bind %s: net has not asked for options", address)
	case !errors.Is(err, errBound):
		b.Close()
		return nil, err
	}
	return b, nil
}

func setOptions(fd int) error {
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	return os.NewSyscallError("setsockopt", errors.Join(
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, deferAccept)))
}

// bind binds net's socket, and keeps a descriptor of it.
func (b *Bound) bind(c syscall.RawConn, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if controlErr := c.Control(func(fd uintptr) { err = b.bindDescriptor(int(fd), to) }); controlErr != nil {
		return controlErr
	}
	return err
}

func (b *Bound) bindDescriptor(fd int, to netip.AddrPort) error {
	// net has chosen the family: a socket for all addresses of a host takes IPv4 and
	// IPv6, also where 0.0.0.0 was asked for.
	family, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_DOMAIN)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	addr := to.Addr()
	if family == syscall.AF_INET6 && addr == netip.IPv4Unspecified() {
		addr = netip.IPv6Unspecified()
	}
	var name syscall.Sockaddr
	if family == syscall.AF_INET {
		name = &syscall.SockaddrInet4{Port: int(to.Port()), Addr: addr.As4()}
	} else {
		name = &syscall.SockaddrInet6{Port: int(to.Port()), Addr: addr.As16(), ZoneId: zoneID(addr.Zone())}
	}
	if err := setOptions(fd); err != nil {
		return err
	}
	err = syscall.Bind(fd, name)
	if err == syscall.EADDRINUSE && b.mayShare(tcpAddr(name, addr.Zone())) {
		if err = share(fd); err == nil {
			err = syscall.Bind(fd, name)
		}
	}
	if err != nil {
		return os.NewSyscallError("bind", err)
	}
	if name, err = syscall.Getsockname(fd); err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	b.addr = tcpAddr(name, to.Addr().Zone())
	b.fd, err = duplicate(fd)
	return err
}

// duplicate returns another descriptor of a file.
func duplicate(fd int) (int, error) {
	kept, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, os.NewSyscallError("fcntl", errno)
	}
	return int(kept), nil
}

// zoneID returns the number of a zone, which is the name of an interface or a number.
func zoneID(zone string) uint32 {
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

func tcpAddr(name syscall.Sockaddr, zone string) *net.TCPAddr {
	switch name := name.(type) {
	case *syscall.SockaddrInet4:
		return &net.TCPAddr{IP: name.Addr[:], Port: name.Port}
	case *syscall.SockaddrInet6:
		return &net.TCPAddr{IP: name.Addr[:], Port: name.Port, Zone: zone}
	}
	return new(net.TCPAddr)
}

// Addr returns the address that is bound.
func (b *Bound) Addr() net.Addr { return b.addr }

// Listen begins to take connections. The listener is a [Stamper]. It may be called again after
// [ErrCrowded], and no more once it has returned a listener, which closes the address.
func (b *Bound) Listen() (net.Listener, error) {
	if err := b.listen(); err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: b.addr, Err: err}
	}
	// The poller is told only now: to it a socket that does not listen has ended.
	file := os.NewFile(uintptr(b.fd), "tcp")
	b.fd = -1
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: b.addr, Err: err}
	}
	return &listener{file: file, raw: raw, addr: b.addr, passed: b.passed}, nil
}

// listen is listen(2) with net's backlog: all that net.core.somaxconn allows. Mates may share
// the address from then on. Before, it must not be shared: of two that have bound it and are
// no mates, both could listen.
func (b *Bound) listen() error {
	if b.mates == nil {
		return os.NewSyscallError("listen", syscall.Listen(b.fd, math.MaxInt32))
	}
	switch joined, err := b.mates.Join(b.addr.String()); {
	case err != nil:
		return fmt.Errorf("share the address: %w", err)
	case !joined:
		return ErrCrowded
	}
	shared := b.mayShare(b.addr)
	if shared {
		if err := share(b.fd); err != nil {
			return err
		}
	}
	if err := syscall.Listen(b.fd, math.MaxInt32); err != nil {
		return os.NewSyscallError("listen", err)
	}
	if shared {
		return lead(b.fd)
	}
	return share(b.fd)
}

// Close gives the address up, if Listen has not been called. It may be called again.
func (b *Bound) Close() error {
	if b.fd < 0 {
		return nil
	}
	err := closeDescriptor(b.fd)
	b.fd = -1
	return err
}
