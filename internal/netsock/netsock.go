// Package netsock is the data plane's TCP listener and its connections.
//
// On Linux they are raw system calls, because that pays (listener_linux.go); on
// every other system they are package net's. Both are tested on Linux.
//
// What belongs here knows sockets and descriptors and nothing else: options of
// a listener, accepting, reading and writing, deadlines, the kernel's time
// stamps, limits on descriptors. What a request is, how long it may take and
// how many connections there may be belongs to package handler.
package netsock

import (
	"context"
	"errors"
	"net"
	"slices"
	"syscall"
)

// Stamper is a listener whose connections are [Stamped].
type Stamper interface {
	// Stamp makes the next n reads of its connections, or a few more, record when
	// the bytes they return arrived.
	Stamp(n int64)
}

// Stamped is a connection that can tell when the bytes it has read arrived.
type Stamped interface {
	// Arrived returns the arrival time of the bytes that the latest Read returned,
	// in ns since the epoch by the system's clock, or 0 if it was not recorded. It
	// returns each time once.
	Arrived() int64
}

// Ignorer is a listener that can end without a loss.
type Ignorer interface {
	// Ignore has the kernel ignore whoever wants to connect, and reports whether it does. Who
	// is connecting already is accepted as before, which Close would reset. Others try again
	// after a second, and find the address closed, or the next process there.
	Ignore() bool
}

// Mates are the processes that may listen on an address together with this one, so that one
// can take the place of another without a gap: those of the same data directory. Who has
// come last gets the new connections; the others keep those that they have. Addresses are
// written as net.Addr's String does.
type Mates interface {
	// At reports whether one of them listens on an address, or is about to.
	At(address string) bool
	// Join tells them that this process listens on it, until it ends. It reports false, and
	// has told nobody, where two of them do already. It may be called again.
	Join(address string) (joined bool, err error)
}

// ErrCrowded is the error of [Bound.Listen] where two mates listen on the address already. It
// passes when one of them ends. The kernel can be told which of two gets the new connections,
// but not which of three: they are counted anew when one leaves.
var ErrCrowded = errors.New("two processes of this data directory listen on the address already")

// Listen binds a TCP address and listens on it: see [Bind].
func Listen(ctx context.Context, address string) (net.Listener, error) {
	b, err := Bind(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	ln, err := b.Listen()
	if err != nil {
		b.Close()
	}
	return ln, err
}

// ListenPortable listens on a TCP address with package net's listener, without
// keep-alive probes and without MPTCP, as [Listen] does. It cannot stamp. Its
// connections are *net.TCPConn, which sets TCP_NODELAY itself.
func ListenPortable(ctx context.Context, address string) (net.Listener, error) {
	return listenConfig().Listen(ctx, "tcp", address)
}

// listenConfig has no keep-alive probes, because the handler closes idle
// connections before probes would begin and setting them up is four system
// calls a connection; and no MPTCP, which is slower to accept and of no use to
// a poll.
func listenConfig() *net.ListenConfig {
	config := &net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	return config
}

// Exhausted reports whether an error of Accept means that the system is short
// of descriptors or buffers, which passes by itself.
func Exhausted(err error) bool {
	return slices.ContainsFunc(exhausted, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}
