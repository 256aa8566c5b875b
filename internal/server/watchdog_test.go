package server

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/netsock"
)

// serviceManager returns a notify socket, and what comes there.
func serviceManager(t *testing.T) (socket string, next func() string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return socket, func() string {
		t.Helper()
		b := make([]byte, 1000)
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

// The service manager is told when the server is ready, that it works, and that it stops; and
// that it works no more after that.
func TestServiceManager(t *testing.T) {
	socket, next := serviceManager(t)
	stop := runServerIn(t, []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=400000"})
	alive := 0
	until := func(what string) {
		t.Helper()
		alive = 0
		for {
			message := next()
			if message == "WATCHDOG=1" {
				alive++
			}
			if strings.HasPrefix(message, what) {
				return
			}
			if alive > 50 {
				t.Fatalf("never told %q", what)
			}
		}
	}
	until("STATUS=Not ready: ")
	until("READY=1\nSTATUS=Serves polls at 127.0.0.1:")
	for range 3 {
		begun := time.Now()
		until("WATCHDOG=1")
		if took := time.Since(begun); took > 390*time.Millisecond {
			t.Logf("told after %v: the machine is busy", took)
		}
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	until("STOPPING=1\nSTATUS=Stops")
	<-stopped
}

func TestServiceManagerRefused(t *testing.T) {
	for _, environ := range [][]string{
		{"NOTIFY_SOCKET=relative"},
		{"LISTEN_PID=x", "LISTEN_FDS=1"},
	} {
		if err := serveOnce(t, environ); err == nil || !strings.Contains(err.Error(), strings.Split(environ[0], "=")[0]) {
			t.Errorf("%q: %v", environ, err)
		}
	}
}

// stuck is a listener on which nobody accepts.
func stuck(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// What hangs is found, and polls that are answered are enough of the data plane.
func TestVitals(t *testing.T) {
	const patience = 50 * time.Millisecond
	answering := httptest.NewServer(http.NotFoundHandler())
	defer answering.Close()
	s := &server{registry: prometheus.NewRegistry(), started: time.Now(), admin: answering.Listener}
	decisions := prometheus.NewCounter(prometheus.CounterOpts{Name: "popupd_decisions_total"})
	s.registry.MustRegister(decisions)
	v := vitals{server: s}
	look := func(when, want string) {
		t.Helper()
		if err := v.look(t.Context(), patience); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", when, err, want)
		}
	}
	look("before polls are taken", "")
	var err error
	if s.data, err = netsock.Bind(t.Context(), "127.0.0.1:0", nil); err != nil {
		t.Fatal(err)
	}
	ln, err := s.data.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s.taking.Store(true)
	look("nobody accepts polls", "the data plane: ")
	decisions.Inc()
	look("a poll was answered", "")
	look("and none since", "the data plane: ")
	decisions.Inc()
	s.started = time.Now().Add(-time.Hour)
	look("no heartbeat", "no heartbeat for 1h0m0s")
	s.beaten.Store(int64(time.Hour - time.Minute/3))
	decisions.Inc()
	look("a heartbeat", "")
	s.admin = stuck(t)
	decisions.Inc()
	look("nobody accepts operators", "the control plane: ")
}

// TestAnswers: a plane is found wherever it listens, also where the host has no IPv6 or the
// listener no IPv4.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ network, address, first string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1:"},
		{"tcp4", "0.0.0.0:0", "127.0.0.1:"},
		{"tcp", ":0", "127.0.0.1:"},      // [::]
		{"tcp6", "[::]:0", "127.0.0.1:"}, // which refuses
		{"tcp6", "[::1]:0", "[::1]:"},
	} {
		listener, err := net.Listen(c.network, c.address)
		if err != nil && c.network == "tcp6" {
			t.Logf("no IPv6 here: %v", err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		plane := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
		go func() { _ = plane.Serve(listener) }()
		if err := answers(t.Context(), listener.Addr(), "/livez"); err != nil {
			t.Errorf("%s %s: %v", c.network, c.address, err)
		}
		if got := reachable(listener.Addr().String())[0]; !strings.HasPrefix(got, c.first) {
			t.Errorf("%s %s is looked for at %s first, want %s", c.network, c.address, got, c.first)
		}
		plane.Close()
		if err := answers(t.Context(), listener.Addr(), "/livez"); err == nil {
			t.Errorf("%s %s: no error of a plane that is gone", c.network, c.address)
		}
	}
	zoned := &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "lo", Port: 1}
	if err := answers(t.Context(), zoned, "/livez"); err == nil || strings.Contains(err.Error(), "URL") {
		t.Errorf("an address with a zone: %v, want that it is not there", err)
	}
}
