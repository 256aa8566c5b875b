package persist

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// adminToken returns a token that the store's clock has just made.
func (s *store) adminToken(name string, role popup.Role, life time.Duration) popup.AdminToken {
	token, id := popup.NewAdminTokenSecret()
	now := timeOf(s.clock.now())
	return popup.AdminToken{ID: id, Name: name, Role: role, CreatedAt: now, CreatedBy: "ann", ExpiresAt: now.Add(life), Hash: popup.HashAdminToken(token)}
}

func (s *store) adminTokens(t *testing.T) []popup.AdminToken {
	t.Helper()
	list, err := s.AdminTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var createToken, deleteToken = popup.Change{Actor: "ann", Action: "create_token"}, popup.Change{Actor: "bob", Action: "delete_token"}

func TestAdminTokens(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if list := s.adminTokens(t); len(list) != 0 {
			t.Errorf("at first: %v", list)
		}
		viewer, ci := s.adminToken("viewer", popup.RoleViewer, time.Hour), s.adminToken("ci", popup.RolePublisher, time.Minute)
		for _, token := range []popup.AdminToken{viewer, ci} {
			if err := s.CreateAdminToken(t.Context(), createToken, token); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff([]popup.AdminToken{ci, viewer}, s.adminTokens(t)); d != "" {
			t.Errorf("stored (-want +got):\n%s", d)
		}
		if err := s.CreateAdminToken(t.Context(), createToken, s.adminToken("ci", popup.RoleAdmin, time.Hour)); !errors.Is(err, popup.ErrTokenExists) {
			t.Errorf("a second of the name: %v, want %v", err, popup.ErrTokenExists)
		}

		// An expired one is replaced.
		s.clock.advance(time.Minute)
		again := s.adminToken("ci", popup.RoleEditor, time.Hour)
		if err := s.CreateAdminToken(t.Context(), createToken, again); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]popup.AdminToken{again, viewer}, s.adminTokens(t)); d != "" {
			t.Errorf("after the end (-want +got):\n%s", d)
		}

		if id, err := s.DeleteAdminToken(t.Context(), deleteToken, "ci"); err != nil || id != again.ID {
			t.Errorf("deleted %q, %v; want %q", id, err, again.ID)
		}
		if _, err := s.DeleteAdminToken(t.Context(), deleteToken, "ci"); !errors.Is(err, popup.ErrNoSuchToken) {
			t.Errorf("deleted again: %v, want %v", err, popup.ErrNoSuchToken)
		}
		if d := cmp.Diff([]popup.AdminToken{viewer}, s.adminTokens(t)); d != "" {
			t.Errorf("after a delete (-want +got):\n%s", d)
		}

		entries, err := s.Audit(t.Context(), "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, e := range entries {
			lines = append(lines, e.Actor+" "+e.Action+" "+e.Object)
		}
		want := []string{"bob delete_token token:ci editor", "ann create_token token:ci editor", "ann create_token token:ci publisher", "ann create_token token:viewer viewer"}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("audit (-want +got):\n%s", d)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM admin_token WHERE hash LIKE '%popupd%' OR LENGTH(hash) <> 64"); n != 0 {
			t.Errorf("%d tokens are not hashed", n)
		}
	})
}

func TestAdminTokenUsed(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		token := s.adminToken("ci", popup.RoleViewer, time.Hour)
		if err := s.CreateAdminToken(t.Context(), createToken, token); err != nil {
			t.Fatal(err)
		}
		for _, use := range []struct{ at, want int64 }{{startMS + 5, startMS + 5}, {startMS + 9, startMS + 9}, {startMS + 7, startMS + 9}} {
			if err := s.AdminTokenUsed(t.Context(), token.ID, use.at); err != nil {
				t.Fatal(err)
			}
			if got := s.adminTokens(t)[0].LastUsedAt; got == nil || got.UnixMilli() != use.want {
				t.Errorf("used at %d: the last use is %v, want %d", use.at, got, use.want)
			}
		}
		if err := s.AdminTokenUsed(t.Context(), "gone", startMS); err != nil {
			t.Errorf("one that is deleted: %v", err)
		}
	})
}

func TestTooManyAdminTokens(t *testing.T) {
	s := onSQLite(t)
	for i := range popup.MaxAdminTokens {
		if err := s.CreateAdminToken(t.Context(), createToken, s.adminToken(fmt.Sprint("t", i), popup.RoleViewer, time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CreateAdminToken(t.Context(), createToken, s.adminToken("more", popup.RoleViewer, time.Hour)); !errors.Is(err, popup.ErrTooManyTokens) {
		t.Errorf("one more: %v, want %v", err, popup.ErrTooManyTokens)
	}
	if n := len(s.adminTokens(t)); n != popup.MaxAdminTokens {
		t.Errorf("%d tokens, want %d", n, popup.MaxAdminTokens)
	}
}

// Nothing may match a token that somebody has broken in the store; the others work.
func TestBrokenAdminToken(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		broken, whole := s.adminToken("broken", popup.RoleAdmin, time.Hour), s.adminToken("whole", popup.RoleViewer, time.Hour)
		for _, token := range []popup.AdminToken{broken, whole} {
			if err := s.CreateAdminToken(t.Context(), createToken, token); err != nil {
				t.Fatal(err)
			}
		}
		for _, set := range []string{"hash = ''", "hash = '00'", "hash = 'xyz'", "hash = '" + strings.Repeat("0", 64) + "', role = 'root'"} {
			s.exec(t, "UPDATE admin_token SET "+set+" WHERE id = ?", broken.ID)
			if d := cmp.Diff([]popup.AdminToken{whole}, s.adminTokens(t)); d != "" {
				t.Errorf("%s (-want +got):\n%s", set, d)
			}
		}
		if _, err := s.DeleteAdminToken(t.Context(), deleteToken, "broken"); err != nil {
			t.Errorf("a broken one can't be deleted: %v", err)
		}
	})
}
