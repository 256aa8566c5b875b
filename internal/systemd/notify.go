package systemd

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// What the service manager can be told, see sd_notify(3).
const (
	Ready    = "READY=1"    // the service works from now on
	Stopping = "STOPPING=1" // it ends
	Alive    = "WATCHDOG=1" // it still works
)

// Status is one line about the service for people, as systemctl status shows it.
func Status(text string) string {
	return "STATUS=" + strings.Join(strings.Fields(text), " ")
}

// patience is how long the service manager may take to take a message.
const patience = time.Second

// Notifier tells the service manager how this process is. The zero value tells nobody.
type Notifier struct {
	socket   string        // a path, or an abstract name after @
	watchdog time.Duration // 0: nobody looks
}

// NewNotifier returns what tells whoever the variables of process pid name, which may be
// nobody.
func NewNotifier(environ []string, pid int) (*Notifier, error) {
	n := &Notifier{socket: lookup(environ, "NOTIFY_SOCKET")}
	if n.socket == "" {
		return n, nil
	}
	if n.socket[0] != '/' && n.socket[0] != '@' || len(n.socket) == 1 {
		return nil, fmt.Errorf("NOTIFY_SOCKET %q: want a path from / on, or an abstract name after @", n.socket)
	}
	var err error
	n.watchdog, err = watchdog(environ, pid)
	return n, err
}

// watchdog reads WATCHDOG_USEC, which is for every process of a service unless WATCHDOG_PID
// names one.
func watchdog(environ []string, pid int) (time.Duration, error) {
	text := lookup(environ, "WATCHDOG_USEC")
	if text == "" {
		return 0, nil
	}
	us, err := strconv.ParseInt(text, 10, 64)
	if err != nil || us <= 0 || us > math.MaxInt64/int64(time.Microsecond) {
		return 0, fmt.Errorf("WATCHDOG_USEC %q: want a number of microseconds", text)
	}
	if lookup(environ, "WATCHDOG_PID") != "" {
		if ours, err := isFor(environ, "WATCHDOG_PID", pid); err != nil || !ours {
			return 0, err
		}
	}
	return time.Duration(us) * time.Microsecond, nil
}

// Watchdog returns within which time the service manager must be told [Alive], 0 if it
// does not wait for that.
func (n *Notifier) Watchdog() time.Duration { return n.watchdog }

// Tell sends some lines as one message. It takes a second at most.
func (n *Notifier) Tell(lines ...string) error {
	if n.socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	err = conn.SetWriteDeadline(time.Now().Add(patience))
	if err == nil {
		_, err = conn.Write([]byte(strings.Join(lines, "\n")))
	}
	if err = errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
