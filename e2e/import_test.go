//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const importedPopups = `{"source":"repo","settings":{"min_gap_sec":1},"popups":[{"key":"imported-1","placements":["elsewhere"]},{"key":"imported-2","placements":["elsewhere"]}]}`

// importDies has the server make an import in which it ends.
func (s *server) importDies() {
	s.t.Helper()
	req, err := http.NewRequest("PUT", s.adminURL+"/v1/admin/import", strings.NewReader(importedPopups))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close()
		s.t.Fatalf("the import was answered %d", resp.StatusCode)
	}
}

// nothingImported checks that nothing of that import is there, and that it can be made.
func (s *server) nothingImported() {
	s.t.Helper()
	var got struct {
		Summary struct{ Create, Update, Unchanged int }
	}
	if status := s.admin("PUT", "/v1/admin/import?dry_run=1", importedPopups, "", &got); status != 200 || got.Summary.Create != 2 || got.Summary.Update != 1 {
		s.t.Errorf("after the end in an import: %d %+v", status, got)
	}
	if status := s.admin("PUT", "/v1/admin/import", `{"popups":[{"key":"imported-1","placements":["elsewhere"]}]}`, "", nil); status != 200 {
		s.t.Errorf("the next import: %d", status)
	}
}

// importedOnAnother imports popups on one server and polls another for them.
func importedOnAnother(t *testing.T, a, b *server) {
	t.Helper()
	if p, err := a.ask("importer", "placement=imported"); p != nil || err != nil {
		t.Fatal(p, err)
	}
	for _, key := range []string{"first", "second"} { // the second replaces the first
		popups := `{"source":"repo","prune":true,"popups":[{"key":"` + key + `","status":"active","placements":["imported"]},{"key":"draft-` + key + `"}]}`
		if status := a.admin("PUT", "/v1/admin/import", popups, "", nil); status != http.StatusOK {
			t.Fatalf("import: %d", status)
		}
		eventually(t, 5*time.Second, func() error {
			p, err := b.ask("importer", "placement=imported")
			if err != nil || p == nil || p.Popup.Key != key {
				return fmt.Errorf("the other server shows %v, %v; want %s", p, err, key)
			}
			return nil
		})
	}
}
