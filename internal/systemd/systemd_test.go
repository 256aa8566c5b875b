package systemd

import (
	"errors"
	"io/fs"
	"maps"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestSockets(t *testing.T) {
	for _, c := range []struct {
		environ string
		want    map[string]int
		err     string // a part of it; empty: none
	}{
		{"", nil, ""},
		{"HOME=/root LISTEN_PID=7", nil, ""},
		{"LISTEN_PID=7 LISTEN_FDS=1 LISTEN_FDNAMES=data", map[string]int{"data": 3}, ""},
		{"LISTEN_PID=7 LISTEN_FDS=2 LISTEN_FDNAMES=admin:data", map[string]int{"admin": 3, "data": 4}, ""},
		{"LISTEN_PID=7 LISTEN_FDS=0", nil, ""},
		{"LISTEN_PID=8 LISTEN_FDS=1 LISTEN_FDNAMES=data", nil, ""}, // it was the parent's
		{"LISTEN_PID=8 LISTEN_FDS=x", nil, ""},
		{"LISTEN_FDS=1 LISTEN_FDNAMES=data", nil, `LISTEN_PID ""`},
		{"LISTEN_PID=seven LISTEN_FDS=1 LISTEN_FDNAMES=data", nil, `LISTEN_PID "seven"`},
		{"LISTEN_PID=-7 LISTEN_FDS=1 LISTEN_FDNAMES=data", nil, `LISTEN_PID "-7"`},
		{"LISTEN_PID=7 LISTEN_FDS=one LISTEN_FDNAMES=data", nil, `LISTEN_FDS "one"`},
		{"LISTEN_PID=7 LISTEN_FDS=-1", nil, `LISTEN_FDS "-1"`},
		{"LISTEN_PID=7 LISTEN_FDS=1001", nil, `LISTEN_FDS "1001"`},
		{"LISTEN_PID=7 LISTEN_FDS=1", nil, "LISTEN_FDNAMES is not set"},
		{"LISTEN_PID=7 LISTEN_FDS=2 LISTEN_FDNAMES=data", nil, "want 2 names"},
		{"LISTEN_PID=7 LISTEN_FDS=2 LISTEN_FDNAMES=data:data", nil, `two sockets are named "data"`},
	} {
		got, err := Sockets(strings.Fields(c.environ), 7)
		if !maps.Equal(got, c.want) || !failed(err, c.err) {
			t.Errorf("%s: %v, %v; want %v, %q", c.environ, got, err, c.want, c.err)
		}
	}
}

// failed reports whether an error has a text, or there is none where that is empty.
func failed(err error, text string) bool {
	return (err != nil) == (text != "") && (err == nil || strings.Contains(err.Error(), text))
}

func TestWatchdog(t *testing.T) {
	for _, c := range []struct {
		environ string
		want    time.Duration
		err     string
	}{
		{"WATCHDOG_USEC=30000000", 0, ""}, // nobody listens
		{"NOTIFY_SOCKET=/s", 0, ""},
		{"NOTIFY_SOCKET=/s WATCHDOG_USEC=30000000", 30 * time.Second, ""},
		{"NOTIFY_SOCKET=@s WATCHDOG_USEC=30000000 WATCHDOG_PID=7", 30 * time.Second, ""},
		{"NOTIFY_SOCKET=/s WATCHDOG_USEC=30000000 WATCHDOG_PID=8", 0, ""},
		{"NOTIFY_SOCKET=/s WATCHDOG_USEC=30000000 WATCHDOG_PID=x", 0, `WATCHDOG_PID "x"`},
		{"NOTIFY_SOCKET=/s WATCHDOG_USEC=30s", 0, `WATCHDOG_USEC "30s"`},
		{"NOTIFY_SOCKET=/s WATCHDOG_USEC=0", 0, `WATCHDOG_USEC "0"`},
		{"NOTIFY_SOCKET=/s WATCHDOG_USEC=9223372036854775807", 0, "WATCHDOG_USEC"},
		{"NOTIFY_SOCKET=run/s", 0, `NOTIFY_SOCKET "run/s"`},
		{"NOTIFY_SOCKET=@", 0, `NOTIFY_SOCKET "@"`},
		{"NOTIFY_SOCKET=vsock:2:1234", 0, `NOTIFY_SOCKET "vsock:2:1234"`},
	} {
		n, err := NewNotifier(strings.Fields(c.environ), 7)
		if !failed(err, c.err) || err == nil && n.Watchdog() != c.want {
			t.Errorf("%s: %+v, %v; want %v, %q", c.environ, n, err, c.want, c.err)
		}
	}
}

func TestTell(t *testing.T) {
	names := []string{filepath.Join(t.TempDir(), "notify")}
	if runtime.GOOS == "linux" {
		names = append(names, "@popupd-"+filepath.Base(t.TempDir())+t.Name())
	}
	for _, name := range names {
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer manager.Close()
		n, err := NewNotifier([]string{"NOTIFY_SOCKET=" + name}, 7)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Tell(Ready, Status("serves\npolls")); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		read, err := manager.Read(b)
		if got := string(b[:read]); err != nil || got != "READY=1\nSTATUS=serves polls" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A service manager that takes nothing holds nobody up, and one that is not there is an error.
func TestTellNobody(t *testing.T) {
	if err := new(Notifier).Tell(Ready); err != nil {
		t.Error(err)
	}
	name := filepath.Join(t.TempDir(), "notify")
	n := &Notifier{socket: name}
	if err := n.Tell(Ready); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nobody listens: %v", err)
	}
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	var timeout interface{ Timeout() bool }
	for range 10_000 { // more than net.unix.max_dgram_qlen
		if err = n.Tell(Ready); err != nil {
			break
		}
	}
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("nobody reads: %v, want a timeout", err)
	}
}
