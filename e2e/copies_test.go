//go:build linux

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// copied copies a data directory as cp -a does, while it is in use or not.
func copied(t testing.TB, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "data")
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil && !strings.Contains(string(out), "cannot stat") {
		t.Fatalf("copy %s: %v: %s", from, err, out) // that a file goes meanwhile is as it is
	}
	return to
}

// TestCopyOfALiveServer copies the data directory of a server under load, a few
// times, and starts another server on each copy. Both ship the first one's stream;
// each event is committed once, and neither keeps the other from going on.
func TestCopyOfALiveServer(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	s := start(t, st.args()...)
	loadPopups.create(s)
	h := newHistory(loadPopups)
	l := startLoad(s, h, "live", rand.Uint64())
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for n := range 3 {
		<-tick.C
		other := launchIn(t, copied(t, s.Data), st.args()...)
		other.waitReady()
		eventually(t, 20*time.Second, func() error {
			if !strings.Contains(other.Log(), "the stream has ended and is committed") {
				return fmt.Errorf("copy %d does not come to the end of the stream", n)
			}
			return nil
		})
		if n == 1 {
			other.Kill()
		} else {
			other.stop()
		}
	}
	<-tick.C
	l.stop()
	s.waitDrained()
	if n := l.failures(); n > 0 {
		t.Errorf("%d requests failed, though the server was up all the time", n)
	}
	s.checkHistory(t, h, st.dsn)
}

// TestRestoredDataDirectory starts a server on a backup of its data directory: what
// is in it was committed long ago and is not committed again, and what users were shown
// since is known from the database.
func TestRestoredDataDirectory(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	s := start(t, st.args()...)
	once.create(s)
	h := newHistory(once)
	flood(s, h, "before", 20*time.Second, func() bool { return s.mustMetric("popupd_state_entries") > 100 })
	backup := copied(t, s.Data)
	flood(s, h, "after", 20*time.Second, func() bool { return s.mustMetric("popupd_state_entries") > 500 })
	s.waitDrained()
	s.Kill()
	if err := os.RemoveAll(s.Data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, s.Data); err != nil {
		t.Fatal(err)
	}
	s.restart()
	for _, user := range []string{"before-0-0", "after-0-0"} {
		if p := s.mustAsk(user); p != nil {
			t.Errorf("%s is shown %s again", user, p.Popup.Key)
		}
	}
	flood(s, h, "again", 20*time.Second, func() bool { return s.mustMetric("popupd_state_entries") > 1000 })
	s.checkHistory(t, h, st.dsn)
}

// TestServersOverlap has a second server start on the data directory of one that
// still runs, as some ways to restart do: each writes a stream of its own, the
// second drains the first one's when that has ended, and users go from one to the
// other without being shown anything again.
func TestServersOverlap(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"stop", "kill"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			st := startStores(t)
			first := start(t, st.args()...)
			loadPopups.create(first)
			h := newHistory(loadPopups)
			for round := range 3 {
				l := startLoad(first, h, fmt.Sprint("round-", round), rand.Uint64())
				tick := time.NewTicker(time.Second)
				<-tick.C
				second := launchIn(t, first.Data, st.args()...)
				second.waitReady()
				if round == 0 && strings.Contains(second.Log(), "journal adopts a stream") {
					t.Error("a stream was adopted that is still being written")
				}
				<-tick.C
				l.stop()
				first.waitDrained()
				l = startLoad(second, h, fmt.Sprint("later-", round), rand.Uint64())
				<-tick.C
				if end == "stop" {
					first.stop()
				} else {
					first.Kill()
				}
				<-tick.C
				l.stop()
				tick.Stop()
				first = second
			}
			first.checkHistory(t, h, st.dsn)
		})
	}
}
