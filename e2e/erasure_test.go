//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// TestAuditErasure: an erasure says when it is done, and the audit trail names the user
// from then on only where operators want it to.
func TestAuditErasure(t *testing.T) {
	for flag, want := range map[string]int{"keep": 1, "pseudonymise": 0} {
		t.Run(flag, func(t *testing.T) {
			dsn := storetest.MySQL(t)
			db := openDB(t, dsn)
			s := start(t, "-mysql", dsn, "-audit-erasure", flag)
			var asked struct{ ID int }
			if status := s.admin("DELETE", "/v1/admin/users/erin", "", "", &asked); status != http.StatusAccepted {
				t.Fatalf("erase: %d", status)
			}
			eventually(t, 10*time.Second, func() error {
				if n, err := queryInt(db, "SELECT COUNT(*) FROM erasure"); err != nil || n != 1 {
					return fmt.Errorf("%d erasures, %v", n, err)
				}
				return nil
			})
			s.stop()
			// A server looks for resets of more than a minute ago when it starts.
			if _, err := db.Exec("UPDATE erasure SET queued_ms = queued_ms - 120000"); err != nil {
				t.Fatal(err)
			}
			s.restart()
			eventually(t, 20*time.Second, func() error {
				var erasure struct{ State string }
				if status := s.admin("GET", fmt.Sprint("/v1/admin/erasures/", asked.ID), "", "", &erasure); status != http.StatusOK || erasure.State != "done" {
					return fmt.Errorf("%d, %q", status, erasure.State)
				}
				return nil
			})
			if n, err := queryInt(db, "SELECT COUNT(*) FROM audit WHERE object = 'user:erin'"); err != nil || n != want {
				t.Errorf("%d lines of the audit trail name the user, %v; want %d", n, err, want)
			}
		})
	}
}
