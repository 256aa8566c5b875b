//go:build linux

package e2e

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// unreachableStores are stores that are not there.
var unreachableStores = []string{"-mysql", "root@tcp(127.0.0.1:1)/popupd", "-redis", "redis://127.0.0.1:1/0"}

// usedDataDir returns the data directory of a server that was started three times and
// then killed. It has two dumps of the users' state, and two generations of popups, of
// which both have once; user a is in both dumps, b in the newer one, c in the journal.
func usedDataDir(t *testing.T, mysql, redis string) (data string) {
	t.Helper()
	s := start(t, "-mysql", mysql, "-redis", redis)
	once.create(s)
	show := func(user string) {
		t.Helper()
		if s.mustAsk(user) == nil {
			t.Fatalf("%s is shown nothing", user)
		}
	}
	show("a")
	s.stop()
	s.restart()
	body := `{"key":"another","status":"active","targeting":{"all":[{"attr":"uid","op":"eq","value":"nobody"}]},"variants":[{"key":"a","content":{}}]}`
	if status := s.admin("POST", "/v1/admin/popups", body, "", nil); status != http.StatusCreated {
		t.Fatalf("create: %d", status)
	}
	show("b")
	s.stop()
	s.restart()
	show("c")
	s.Kill()
	return s.Data
}

// flip changes a byte in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// bootCase is what is done to a data directory, and what a server then does with it.
type bootCase struct {
	name    string
	damage  func(t *testing.T, file func(name string) string)
	ready   bool   // else it waits for the database
	serves  bool   // a new user is shown something
	says    string // in its log
	aside   string // the file that is set aside
	stores  []string
	isKnown string // users who have been shown all; default all
}

// check waits until the server has come as far as it will, and looks whom it serves.
func (c *bootCase) check(t *testing.T, s *server, file func(name string) string) {
	t.Helper()
	eventually(t, 10*time.Second, func() error {
		status, body, err := s.get(s.adminURL + "/readyz")
		if want := map[bool]int{true: http.StatusOK, false: http.StatusServiceUnavailable}[c.ready]; err != nil || status != want {
			return fmt.Errorf("readyz answers %d %s, %v; want %d", status, body, err, want)
		}
		if log := s.Log(); !strings.Contains(log, c.says) {
			return fmt.Errorf("the log does not say %q", c.says)
		}
		return nil
	})
	if c.aside != "" {
		if _, err := os.Stat(file(c.aside + ".bad")); err != nil {
			t.Errorf("%s was not set aside: %v", c.aside, err)
		}
	}
	if !c.ready {
		if status, _, err := s.get(s.dataURL + "/v1/poll?uid=a"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("poll of a server that knows nobody: %d, %v; want a refused connection", status, err)
		}
		return
	}
	if c.isKnown == "" {
		c.isKnown = "abc"
	}
	for _, user := range c.isKnown {
		if p := s.mustAsk(string(user)); p != nil {
			t.Errorf("%c is shown %s inside its cooldown", user, p.Popup.Key)
		}
	}
	if p := s.mustAsk("new"); (p != nil) != c.serves {
		t.Errorf("a new user is shown %v, want something: %v", p, c.serves)
	}
	s.Kill()
	if crashes := s.Crashes(); len(crashes) > 0 || trouble.MatchString(s.Log()) {
		t.Errorf("popupd ended, %v, or logs a panic", crashes)
	}
}

// TestBoot starts a server on what is left of a data directory while both stores
// are down. It serves what it last knew, and whom it cannot know anything of it shows
// nothing; it says what it could not use, and keeps it.
func TestBoot(t *testing.T) {
	t.Parallel()
	redis := storetest.StartRedis(t).URL()
	mysql := storetest.MySQL(t)
	whole := usedDataDir(t, mysql, redis)
	for _, c := range []bootCase{
		{name: "nothing is wrong", ready: true, serves: true},
		{name: "only MySQL is down", ready: true, serves: true, stores: []string{"-mysql", "root@tcp(127.0.0.1:1)/popupd", "-redis", redis}},
		{name: "only Redis is down", ready: true, serves: true, stores: []string{"-mysql", mysql, "-redis", "redis://127.0.0.1:1/0"}},
		{name: "popups damaged", ready: true, serves: true, aside: "popups", says: "set aside",
			damage: func(t *testing.T, file func(string) string) { flip(t, file("popups")) }},
		{name: "popups truncated", ready: true, serves: true, aside: "popups", says: "set aside",
			damage: func(t *testing.T, file func(string) string) { os.Truncate(file("popups"), 30) }},
		{name: "popups empty", ready: true, serves: true, aside: "popups", says: "set aside",
			damage: func(t *testing.T, file func(string) string) { os.Truncate(file("popups"), 0) }},
		{name: "popups gone", ready: true, serves: true,
			damage: func(t *testing.T, file func(string) string) { os.Remove(file("popups")) }},
		{name: "both generations of popups gone", ready: true, serves: false,
			damage: func(t *testing.T, file func(string) string) { os.Remove(file("popups")); os.Remove(file("popups.1")) }},
		{name: "both generations of popups damaged", ready: true, serves: false, aside: "popups.1", says: "set aside",
			damage: func(t *testing.T, file func(string) string) { flip(t, file("popups")); flip(t, file("popups.1")) }},
		{name: "state damaged", ready: true, serves: true, aside: "state", says: "the dump is damaged",
			damage: func(t *testing.T, file func(string) string) { flip(t, file("state")) }},
		{name: "state truncated", ready: true, serves: true, aside: "state", says: "the dump is damaged",
			damage: func(t *testing.T, file func(string) string) { os.Truncate(file("state"), 50) }},
		{name: "state gone", ready: true, serves: true,
			damage: func(t *testing.T, file func(string) string) { os.Remove(file("state")) }},
		{name: "older state damaged", ready: true, serves: true,
			damage: func(t *testing.T, file func(string) string) { flip(t, file("state.1")) }},
		{name: "both states damaged", ready: false, aside: "state.1", says: "unready until the database answers",
			damage: func(t *testing.T, file func(string) string) { flip(t, file("state")); flip(t, file("state.1")) }},
		{name: "both states damaged, MySQL is up", ready: true, serves: true, aside: "state", says: "the dump is damaged",
			damage: func(t *testing.T, file func(string) string) { flip(t, file("state")); flip(t, file("state.1")) }, stores: []string{"-mysql", mysql, "-redis", redis}},
		{name: "key of the state gone", ready: false, aside: "state", says: "made with another key",
			damage: func(t *testing.T, file func(string) string) { os.Remove(file("state-key")) }},
		{name: "key of the tokens gone", ready: true, serves: true,
			damage: func(t *testing.T, file func(string) string) { os.Remove(file("secret")) }},
		{name: "journal gone", ready: true, serves: true, isKnown: "ab",
			damage: func(t *testing.T, file func(string) string) { os.RemoveAll(file("journal")) }},
		{name: "files of others in the way", ready: true, serves: true, says: "foreign file",
			damage: func(t *testing.T, file func(string) string) {
				for _, name := range []string{"journal/notes", "notes", "state.bad", "popups.bad"} {
					os.WriteFile(file(name), []byte("mine"), 0o600)
				}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := copied(t, whole)
			file := func(name string) string { return filepath.Join(data, name) }
			if c.damage != nil {
				c.damage(t, file)
			}
			if c.stores == nil {
				c.stores = unreachableStores
			}
			c.check(t, launchIn(t, data, c.stores...), file)
		})
	}

	// A key that is damaged is not replaced: who has it could mend it.
	for _, name := range []string{"state-key", "secret", "format"} {
		t.Run(name+" damaged", func(t *testing.T) {
			data := copied(t, whole)
			if err := os.WriteFile(filepath.Join(data, name), []byte("nonsense\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(binary, append([]string{"-data", data, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}, unreachableStores...)...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), name) || strings.Count(string(out), "\n") != 1 {
				t.Errorf("popupd ends with %v and says %q; want one line that names %s", err, out, name)
			}
		})
	}
}

// silentListener returns the address of a server that takes connections and says nothing.
func silentListener(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// TestBootWithAMillion measures how long it takes until polls are answered by a server
// that has a million entries in its dump, while the stores are down, or hang.
func TestBootWithAMillion(t *testing.T) {
	const million = 1_000_000
	data := usedDataDir(t, storetest.MySQL(t), "redis://"+storetest.Redis(t))
	text, err := os.ReadFile(filepath.Join(data, "state-key"))
	if err != nil {
		t.Fatal(err)
	}
	var key [16]byte
	if _, err := hex.Decode(key[:], text[:32]); err != nil {
		t.Fatal(err)
	}
	table := frequency.New(frequency.Config{Key: key})
	now := time.Now().UnixMilli()
	state := popup.State{Impressions: 1, ServedAtMS: now, AtMS: now, Last: popup.Impression, NextAtMS: now + 86_400_000}
	for n := range million {
		if !table.Restore(fmt.Appendf(nil, "user-%d", n), 1, state) {
			t.Fatal("no memory")
		}
	}
	if err := table.Dump(filepath.Join(data, "state"), nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		stores []string
		within time.Duration // generous: the machine may be busy
	}{
		{"down", unreachableStores, 5 * time.Second},
		{"hang", []string{"-mysql", "root@tcp(" + silentListener(t) + ")/popupd", "-redis", "redis://" + silentListener(t) + "/0"}, 8 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			started := time.Now()
			s := launchIn(t, data, c.stores...)
			eventually(t, 30*time.Second, func() error {
				p, err := s.ask("user-999999")
				if p != nil {
					t.Fatal("a user of the dump is shown something")
				}
				return err
			})
			took := time.Since(started)
			t.Logf("the first poll is answered %v after the start", took.Round(time.Millisecond))
			if took > c.within && !raceDetector { // which makes the server read a dump several times as slowly
				t.Errorf("the first poll is answered after %v, want less than %v", took, c.within)
			}
			if s.mustAsk("new-"+c.name) == nil {
				t.Error("a new user is shown nothing")
			}
			if n := s.mustMetric("popupd_state_entries"); n < million {
				t.Errorf("%v entries, want a million", n)
			}
			s.Kill()
		})
	}
}
