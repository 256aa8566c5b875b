//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestStartWithoutDatabase: a server that has a dump serves while the database
// is away, forgets no cooldown, and catches up when it is back.
func TestStartWithoutDatabase(t *testing.T) {
	st := startStores(t)
	s := start(t, st.args()...)
	s.create("one", `{"after_click_sec":86400}`)
	if s.mustAsk("before") == nil {
		t.Fatal("nothing to show")
	}
	s.stop() // writes the dump
	st.mysql.Kill()
	st.redis.Kill()
	s.restart()
	if p := s.mustAsk("before"); p != nil {
		t.Errorf("%s is shown again inside its cooldown", p.Popup.Key)
	}
	p := s.mustAsk("during")
	if p == nil {
		t.Fatal("nothing to show while the stores are down")
	}
	if status, err := s.act(p.Token, "click"); err != nil || status != http.StatusAccepted {
		t.Errorf("click: %d, %v; want 202", status, err)
	}
	st.mysql.Restart(t)
	st.redis.Restart(t)
	db := openDB(t, st.dsn)
	eventually(t, 30*time.Second, func() error {
		if n, err := queryInt(db, "SELECT COUNT(*) FROM event"); err != nil || n != 3 {
			return fmt.Errorf("%d events, %v; want 3", n, err)
		}
		return checkInvariants(db)
	})
}

// TestResetOutlivesRestart: what was forgotten stays so, although the journal
// still holds it, in streams that are read in no particular order.
func TestResetOutlivesRestart(t *testing.T) {
	s := start(t)
	s.create("one", `{"after_click_sec":2592000,"after_impression_sec":0}`)
	p := s.mustAsk("forgotten")
	if p == nil {
		t.Fatal("nothing to show")
	}
	if status, err := s.act(p.Token, "click"); err != nil || status != http.StatusAccepted {
		t.Fatalf("click: %d, %v", status, err)
	}
	s.Kill()
	s.restart() // the click is in an old stream, the reset in a new one
	if p := s.mustAsk("forgotten"); p != nil {
		t.Fatalf("%s is shown inside its cooldown", p.Popup.Key)
	}
	if status := s.admin("DELETE", "/v1/admin/users/forgotten", "", "", nil); status != http.StatusAccepted {
		t.Fatalf("reset: %d", status)
	}
	shown := func(when string) {
		t.Helper()
		eventually(t, 2*time.Second, func() error { // waits resolve to 100 ms
			if s.mustAsk("forgotten") == nil {
				return fmt.Errorf("%s: the click that was forgotten counts again", when)
			}
			return nil
		})
	}
	shown("after the reset")
	s.stop() // dumps what came after the reset
	s.restart()
	shown("after a stop")
	for range 2 {
		s.Kill()
		s.restart()
		shown("after a kill")
	}
}
