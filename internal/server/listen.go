package server

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"

	"github.com/popupd/popupd/internal/netsock"
	"github.com/popupd/popupd/internal/systemd"
)

// The names of the sockets that a service manager may pass.
const (
	dataSocket  = "data"
	adminSocket = "admin"
)

// openListeners takes the sockets that the service manager has passed, and opens the others
// itself. An address of the data plane may be shared with another process on the same data
// directory, which this one is to take the place of. One of the control plane may not:
// who asks there must know which of them answers.
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
	mates, err := s.dir.Addresses()
	if err != nil {
		return err
	}
	s.onClose(func() { mates.Close() })
	if fd, passed := sockets[dataSocket]; passed {
		if s.data, err = netsock.BoundTo(fd, mates); err != nil {
			return fmt.Errorf("the socket that was passed as %s: %w", dataSocket, err)
		}
	} else if s.data, err = netsock.Bind(ctx, s.config.Listen, mates); err != nil {
		return err
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
