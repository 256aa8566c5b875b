package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/popupd/popupd/internal/netsock"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/internal/systemd"
)

// The names of the sockets that a service manager may pass.
const (
	dataSocket  = "data"
	adminSocket = "admin"
)

// openListeners takes the sockets that the service manager has passed, and opens the others
// itself. An address of the data plane may be shared with another process on the same data
// directory, which this one is to take the place of, if both have opened it themselves. One of
// the control plane may not: who asks there must know which of them answers.
func (s *server) openListeners(ctx context.Context) error {
	sockets, err := systemd.Sockets(s.environ, os.Getpid())
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(sockets)) {
		if name != dataSocket && name != adminSocket {
			return fmt.Errorf("a socket was passed that is named %q: want %s or %s (FileDescriptorName= in systemd.socket(5))", name, dataSocket, adminSocket)
		}
	}
	if s.addresses, err = s.dir.Addresses(); err != nil {
		return err
	}
	s.onClose(func() { s.addresses.Close() })
	if fd, passed := sockets[dataSocket]; passed {
		if s.data, err = netsock.BoundTo(fd); err != nil {
			return fmt.Errorf("the socket that was passed as %s: %w", dataSocket, err)
		}
	} else if s.data, err = netsock.Bind(ctx, s.config.Listen, s.addresses); err != nil {
		return s.explainTaken(err)
	}
	s.onClose(func() { s.data.Close() })
	if fd, passed := sockets[adminSocket]; passed {
		if s.admin, err = netsock.ListenOn(fd); err != nil {
			return fmt.Errorf("the socket that was passed as %s: %w", adminSocket, err)
		}
	} else if s.admin, err = net.Listen("tcp", s.config.AdminListen); err != nil {
		return err
	}
	s.onClose(func() { s.admin.Close() })
	return nil
}

// explainTaken says why an address is not shared that another process on the data directory
// may have.
func (s *server) explainTaken(err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) || !s.addresses.Others() {
		return err
	}
	return fmt.Errorf("%w; another popupd runs on this data directory: it shares its address if it has the same user and has opened it itself, not if a service manager has passed it", err)
}

// crowdedPause is how long this process waits until it looks again whether one has left.
const crowdedPause = 100 * time.Millisecond

// listenData begins to take connections at the address of the data plane. Where two processes
// share it already it waits until one of them ends, or ctx.
func (s *server) listenData(ctx context.Context) (net.Listener, error) {
	for waits := false; ; waits = true {
		ln, err := s.data.Listen()
		if !errors.Is(err, netsock.ErrCrowded) {
			return ln, err
		}
		if !waits {
			s.log.Warn("ready, but takes no polls yet: two processes of this data directory listen at the address; end one of them", "address", s.data.Addr().String())
			s.tell(systemd.Status("Not ready: waits until one of two other processes at its address ends"))
		}
		if err := retry.Wait(ctx, crowdedPause, nil); err != nil {
			return nil, err
		}
	}
}
