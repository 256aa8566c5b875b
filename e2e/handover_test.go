//go:build linux

package e2e

import (
	"database/sql"
	"errors"
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
	overlap bool // two servers took requests at once
	shownTo int  // whom the popup was shown before the load
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
	last.waitDrained()
	for action, least := range map[int]int{impression: h.shownTo + u.served, actions["click"]: u.clicked} {
		n, err := queryInt(h.db, "SELECT COUNT(*) FROM event WHERE action = ?", action)
		if err != nil || n < least || n > least+len(u.failed) {
			h.t.Errorf("%d events of action %d, %v; want %d to %d", n, action, err, least, least+len(u.failed))
		}
	}
	atOnce := h.checkAgain()
	if err := checkInvariants(h.db, stateInvariant); err != nil {
		h.t.Error(err)
	}
	rows, err := invariantRows(h.db, stateInvariant) // each server may take its impression for the user's first
	rows = slices.DeleteFunc(rows, func(row string) bool { return slices.Contains(atOnce, strings.Fields(row)[0]) })
	if err != nil || len(rows) > 0 {
		h.t.Errorf("%s: %v, not so in %d rows: %q", stateInvariant, err, len(rows), rows[:min(len(rows), 5)])
	}
	h.t.Logf("%d requests, %d failed, %d popups, shown at once by two servers: %q", u.requests, len(u.failed), u.served, atOnce)
}

// checkAgain fails the test for popups that were shown again, but for those that two servers
// showed before the second could know of the first, and returns the users of these. Their
// polls come so close together only where the machine is so busy that they are late.
func (h *handover) checkAgain() (atOnce []string) {
	h.t.Helper()
	for _, again := range h.users.again {
		apart, err := queryInt(h.db, "SELECT MAX(served_at_ms) - MIN(served_at_ms) FROM event WHERE action = ? AND user_id = ?", impression, again.user)
		if err != nil || !h.overlap || apart >= int(unshipped.Milliseconds()) {
			h.t.Errorf("%s was shown the popup again, %d ms after %v, %v", again.user, apart, again.before.Format(time.StampMilli), err)
			continue
		}
		atOnce = append(atOnce, again.user)
	}
	return atOnce
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

// unnoticed is how long a client may send requests on a kept connection that has ended.
const unnoticed = 100 * time.Millisecond

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
			k.to = time.Now().Add(unnoticed)
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

// testOverlap has a second server take requests beside the first, and then ends that. They
// share the address, of which the second gets all new connections, or a socket that both are
// passed, from which each takes what it can.
func testOverlap(t *testing.T, rate, rounds int, once bool, sockets ...testbed.Socket) {
	dsn := storetest.MySQL(t)
	o := testbed.PopupdOptions{Flags: []string{"-mysql", dsn, "-redis", storetest.StartRedis(t).URL(), "-drain", handoverDrain}, Sockets: sockets}
	s := launchWith(t, o)
	s.waitReady()
	h := newHandover(t, s, dsn, rate, once)
	h.overlap = true
	o.Data = s.Data
	if len(sockets) == 0 {
		o.Flags = append(o.Flags, "-listen", h.users.address)
	}
	stop := h.users.start()
	defer stop()
	for range rounds {
		time.Sleep(time.Second)
		next := launchWith(t, o)
		next.waitReady()
		s.stop()
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
	for name, once := range map[string]bool{"kept connections": false, "a connection a request": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testOverlap(t, 200, 1, once)
		})
	}
}

func TestOverlapOfPassedSocket(t *testing.T) {
	t.Parallel()
	testOverlap(t, 200, 1, true, passed(t, "data"))
}

// TestThirdAtAddress: of three at one address the third takes polls when one of the others
// has ended, and says so until then.
func TestThirdAtAddress(t *testing.T) {
	t.Parallel()
	first := start(t)
	next := func() *server { return launchIn(t, first.Data, "-drain", "0s", "-listen", first.Address) }
	second := next()
	second.waitReady()
	third := next()
	eventually(t, 10*time.Second, func() error {
		if !strings.Contains(third.Log(), "takes no polls yet: two processes of this data directory listen at the address") {
			return errors.New("the third does not say that it waits")
		}
		return nil
	})
	if status, _, err := third.get(third.adminURL + "/readyz"); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("/readyz of the third: %d, %v", status, err)
	}
	if fourth := next(); fourth.Stop() != nil || !fourth.State().Success() { // told to end while it waits
		t.Errorf("the fourth: %v: %s", fourth.State(), fourth.Log())
	}
	first.mustAsk("one")
	second.stop()
	third.waitReady()
	first.stop()
	third.mustAsk("two")
	if n := third.mustMetric("popupd_decisions_total"); n != 1 {
		t.Errorf("the third has decided %g polls, want 1", n)
	}
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
			t.Run("overlap of a socket", func(t *testing.T) { testOverlap(t, c.rate, 3, c.once, passed(t, "data")) })
		})
	}
}

// TestOnlyMatesShare: a server on another data directory finds the address taken, and so does
// one whose mate has been passed its socket, which is told why.
func TestOnlyMatesShare(t *testing.T) {
	t.Parallel()
	s := start(t)
	activated := launchWith(t, testbed.PopupdOptions{Sockets: []testbed.Socket{passed(t, "data")}})
	activated.waitReady()
	for _, c := range []struct {
		data, address string
		says          string
	}{
		{t.TempDir(), s.Address, "address already in use\n"},
		{activated.Data, activated.Address, "address already in use; another popupd runs on this data directory: it shares its address if"},
	} {
		code, _, stderr := call(t, nil, "-data", c.data, "-listen", c.address, "-admin-listen", "127.0.0.1:0")
		if code != 1 || !strings.Contains(stderr, c.says) {
			t.Errorf("exit code %d: %s; want %q", code, stderr, c.says)
		}
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
