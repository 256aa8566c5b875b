//go:build !linux

package netsock

import (
	"context"
	"errors"
	"net"
)

// Bound is a TCP address that this process has. Here the kernel takes connections
// from the start, which wait until they are accepted. Its methods are for one
// goroutine.
type Bound struct {
	listener net.Listener
	listened bool
}

// Bind listens on a TCP address as [ListenPortable] does. Here it is shared with nobody.
func Bind(ctx context.Context, address string, _ Mates) (*Bound, error) {
	ln, err := ListenPortable(ctx, address)
	if err != nil {
		return nil, err
	}
	return &Bound{listener: ln}, nil
}

// Addr returns the address that is bound.
func (b *Bound) Addr() net.Addr { return b.listener.Addr() }

// Listen returns the listener. It is called once; closing the address is the
// listener's from then on.
func (b *Bound) Listen() (net.Listener, error) {
	b.listened = true
	return b.listener, nil
}

// Close gives the address up, if Listen has not been called. It may be called again.
func (b *Bound) Close() error {
	if b.listened {
		return nil
	}
	b.listened = true
	return b.listener.Close()
}

// BoundTo is for Linux alone.
func BoundTo(int) (*Bound, error) { return nil, errors.ErrUnsupported }

// ListenOn is for Linux alone.
func ListenOn(int) (net.Listener, error) { return nil, errors.ErrUnsupported }
