//go:build linux

package e2e

import (
	"database/sql"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// handover is one address at which processes on one data directory take each other's
// place, under load.
type handover struct {
	t       *testing.T
	db      *sql.DB
	users   *pollers
	kills   []kill
	both    []kill // when two servers took requests
	shownTo int    // whom the popup was shown before the load
}

// newHandover has users poll a server that runs. With once each request has a connection of
// its own, which is what is easiest to lose.
func newHandover(t *testing.T, first *server, dsn string, rate int, once bool) *handover {
	t.Helper()
	first.create("one", `{"after_impression_sec":86400}`)
	h := &handover{t: t, db: openDB(t, dsn), users: &pollers{address: first.Address, rate: rate, seen: 50, shown: make(map[string]lastShown)}}
	for ; h.shownTo < h.users.seen; h.shownTo++ {
		if first.mustAsk(seenUser(h.shownTo)) == nil {
			t.Fatal("nothing to show")
		}
	}
	if once {
		transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
		h.users.plain = &http.Client{Timeout: client.Timeout, Transport: transport}
	}
	return h
}

// check ends the test for requests that failed, but for those under way while a server was
// killed, and unless the database has exactly what the users have seen.
func (h *handover) check(last *server) {
	h.t.Helper()
	u := h.users
	var others []string
	for _, f := range u.failed {
		if !slices.ContainsFunc(h.kills, func(k kill) bool { return f.from.Before(k.to) && f.to.After(k.from) }) {
			others = append(others, f.why)
		}
	}
	if len(others) > 0 {
		h.t.Errorf("%d of %d requests failed, as these: %q", len(others), u.requests, others[:min(3, len(others))])
	}
	// Two servers may show a popup to one user within 20 ms. So close together are a user's polls
	// only where the machine is so busy that they come late.
	atOnce := 0
	for _, before := range u.again {
		if slices.ContainsFunc(h.both, func(k kill) bool { return before.After(k.from.Add(-unshipped)) && before.Before(k.to) }) {
			atOnce++
		}
	}
	if len(u.again)-atOnce > len(u.failed) || atOnce > u.served/50 {
		h.t.Errorf("%d popups of %d were shown again, %d of them while two servers ran", len(u.again), u.served, atOnce)
	}
	last.waitDrained()
	for action, least := range map[int]int{impression: h.shownTo + u.served, actions["click"]: u.clicked} {
		n, err := queryInt(h.db, "SELECT COUNT(*) FROM event WHERE action = ?", action)
		if err != nil || n < least || n > least+len(u.failed) {
			h.t.Errorf("%d events of action %d, %v; want %d to %d", n, action, err, least, least+len(u.failed))
		}
	}
	if err := checkInvariants(h.db); err != nil && atOnce == 0 { // what two served in the same ms is one impression
		h.t.Error(err)
	}
	h.t.Logf("%d requests, %d failed, %d popups, %d of them at once on two servers", u.requests, len(u.failed), u.served, atOnce)
}

// passed opens a socket as a service manager does, which stays open over restarts.
func passed(t *testing.T, name string) testbed.Socket {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return testbed.Socket{Name: name, File: file}
}

// handoverDrain is longer than any connection of the pollers rests.
const handoverDrain = "500ms"

// testPassedSockets ends a server that was given its sockets, and starts it again: what comes
// meanwhile waits, and nothing fails. It may be the only server, without Redis.
func testPassedSockets(t *testing.T, rate, rounds int, once bool, signal syscall.Signal) {
	dsn := storetest.MySQL(t)
	s := launchWith(t, testbed.PopupdOptions{
		Flags:   []string{"-mysql", dsn, "-drain", handoverDrain},
		Sockets: []testbed.Socket{passed(t, "data"), passed(t, "admin")},
	})
	s.waitReady()
	h := newHandover(t, s, dsn, rate, once)
	stop := h.users.start()
	defer stop()
	for range rounds {
		time.Sleep(time.Second)
		if signal == syscall.SIGKILL {
			k := kill{from: time.Now()}
			s.Kill()
			k.to = time.Now()
			h.kills = append(h.kills, k)
		} else {
			s.stop()
		}
		s.restart()
	}
	time.Sleep(time.Second)
	stop()
	h.check(s)
}

// testOverlap has a second server share the address of the first, and then ends that: at each
// moment one of them takes what comes.
func testOverlap(t *testing.T, rate, rounds int, once bool) {
	dsn := storetest.MySQL(t)
	flags := []string{"-mysql", dsn, "-redis", "redis://" + storetest.Redis(t), "-drain", handoverDrain}
	s := start(t, flags...)
	h := newHandover(t, s, dsn, rate, once)
	stop := h.users.start()
	defer stop()
	for range rounds {
		time.Sleep(time.Second)
		k := kill{from: time.Now()}
		next := launchIn(t, s.Data, append(slices.Clip(flags), "-listen", h.users.address)...)
		next.waitReady()
		s.stop()
		k.to = time.Now()
		h.both = append(h.both, k)
		if strings.Contains(s.Log(), "level\":\"ERROR") {
			t.Errorf("log of the first: %s", s.Log())
		}
		s = next
	}
	time.Sleep(time.Second)
	stop()
	h.check(s)
}

func TestPassedSockets(t *testing.T) {
	t.Parallel()
	testPassedSockets(t, 200, 1, true, syscall.SIGTERM)
}

func TestPassedSocketsKilled(t *testing.T) {
	t.Parallel()
	testPassedSockets(t, 200, 1, true, syscall.SIGKILL)
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	testOverlap(t, 200, 1, true)
}

// TestClusterRestart ends servers and starts them at one address, under load. While none
// runs, what comes must fit into the queue of the socket (net.core.somaxconn).
func TestClusterRestart(t *testing.T) {
	needsCluster(t)
	for _, c := range []struct {
		name string
		rate int
		once bool
	}{
		{"kept connections", *clusterRate / 2, false},
		{"a connection a request", *clusterRate / 5, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Run("sockets", func(t *testing.T) { testPassedSockets(t, c.rate, 3, c.once, syscall.SIGTERM) })
			t.Run("sockets, killed", func(t *testing.T) { testPassedSockets(t, c.rate, 3, c.once, syscall.SIGKILL) })
			t.Run("overlap", func(t *testing.T) { testOverlap(t, c.rate, 3, c.once) })
		})
	}
}

// TestOnlyMatesShare: a server on another data directory finds the address taken.
func TestOnlyMatesShare(t *testing.T) {
	t.Parallel()
	s := start(t)
	code, _, stderr := call(t, nil, "-listen", s.Address, "-admin-listen", "127.0.0.1:0")
	if code != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// TestPassedSocketsRefused: what is no socket of popupd's ends it with a line that says so.
func TestPassedSocketsRefused(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for says, socket := range map[string]testbed.Socket{
		`named \"popupd.socket\": want data or admin`:    {Name: "popupd.socket", File: passed(t, "data").File},
		`passed as data: not a TCP socket that listens`:  {Name: "data", File: file},
		`passed as admin: not a TCP socket that listens`: {Name: "admin", File: file},
	} {
		p := bed.NewPopupd(testbed.PopupdOptions{Binary: binary, Data: t.TempDir(), Sockets: []testbed.Socket{socket}})
		if err := p.Start(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
		p.Close()
	}
}

// TestSocketActivate: systemd's own tool starts popupd at the first connection, and passes
// its sockets.
func TestSocketActivate(t *testing.T) {
	t.Parallel()
	storetest.Need(t, "systemd-socket-activate", "systemd")
	data, admin := freeAddress(t), freeAddress(t)
	activate, err := bed.Start(testbed.Program{
		Name: "systemd-socket-activate", Ready: func(line string) bool { return strings.HasPrefix(line, "Listening on "+admin) },
		Args: []string{"systemd-socket-activate", "-l", data, "-l", admin, "--fdname=data:admin", binary, "-drain", "0s", "-data", t.TempDir()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer activate.Close()
	s := &server{t: t, dataURL: "http://" + data, adminURL: "http://" + admin}
	if p := s.mustAsk("first"); p != nil { // it waits until popupd is ready
		t.Errorf("shown %s", p.Popup.Key)
	}
	if status, _, err := s.get(s.adminURL + "/readyz"); err != nil || status != http.StatusOK {
		t.Errorf("/readyz of the control plane: %d, %v", status, err)
	}
	if err := activate.Stop(); err != nil || !activate.State().Success() {
		t.Errorf("%v, %v: %s", err, activate.State(), activate.Log())
	}
}

// freeAddress returns an address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
