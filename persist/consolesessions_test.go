package persist

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// session returns a session that the store's clock has just made.
func (s *store) session(name string, role popup.Role) popup.ConsoleSession {
	secret, id := popup.NewSessionSecret()
	now := s.clock.now()
	return popup.ConsoleSession{
		ID: id, Hash: popup.HashSession(secret), Name: name, Role: role, Bond: popup.SessionBond(name), CreatedMS: now, SeenMS: now, EndsMS: now + hourMS,
	}
}

func (s *store) mustLogIn(t *testing.T, session popup.ConsoleSession, replaces string) popup.ConsoleSession {
	t.Helper()
	if err := s.OpenConsoleSession(t.Context(), popup.Change{Actor: session.Name, Action: "log_in"}, session, replaces); err != nil {
		t.Fatal(err)
	}
	return session
}

// sessions returns the sessions with these ids, in their order.
func (s *store) sessions(t *testing.T, ids ...string) (list []popup.ConsoleSession) {
	t.Helper()
	all, err := s.ConsoleSessions(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if i := slices.IndexFunc(all, func(s popup.ConsoleSession) bool { return s.ID == id }); i >= 0 {
			list = append(list, all[i])
		}
	}
	return list
}

func TestConsoleSessions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		ann, bob := s.mustLogIn(t, s.session("ann", popup.RoleViewer), ""), s.mustLogIn(t, s.session("oidc:bob@例え.jp", popup.RolePublisher), "")
		if d := cmp.Diff([]popup.ConsoleSession{bob, ann}, s.sessions(t, bob.ID, "0000000000000000", ann.ID)); d != "" {
			t.Errorf("stored (-want +got):\n%s", d)
		}

		// One that its browser begins anew ends, and so do those that somebody logs out.
		s.clock.advance(time.Minute)
		again := s.mustLogIn(t, s.session("ann", popup.RoleEditor), ann.ID)
		ann.EndsMS = s.clock.now()
		if d := cmp.Diff([]popup.ConsoleSession{ann, again, bob}, s.sessions(t, ann.ID, again.ID, bob.ID)); d != "" {
			t.Errorf("after another log-in (-want +got):\n%s", d)
		}
		third := s.mustLogIn(t, s.session("ann", popup.RoleEditor), "none")
		s.clock.advance(time.Minute)
		for range 2 { // the second time there is nothing to end, and to tell
			if err := s.EndConsoleSession(t.Context(), popup.Change{Actor: "ann", Action: "log_out"}, third.ID); err != nil {
				t.Fatal(err)
			}
			if err := s.EndConsoleSessions(t.Context(), popup.Change{Actor: "ann", Action: "log_out_everywhere"}, "ann"); err != nil {
				t.Fatal(err)
			}
		}
		third.EndsMS, again.EndsMS = s.clock.now(), s.clock.now()
		if d := cmp.Diff([]popup.ConsoleSession{ann, again, third, bob}, s.sessions(t, ann.ID, again.ID, third.ID, bob.ID)); d != "" {
			t.Errorf("after the ends (-want +got):\n%s", d)
		}
		if err := s.AuditLogIn(t.Context(), popup.Change{Actor: "oidc:eve", Action: "log_in_refused"}, "no_role"); err != nil {
			t.Fatal(err)
		}

		entries, err := s.Audit(t.Context(), "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, e := range entries {
			lines = append(lines, e.Actor+" "+e.Action+" "+e.Object)
		}
		want := []string{
			"oidc:eve log_in_refused sessions:oidc:eve no_role", "ann log_out_everywhere sessions:ann", "ann log_out session:" + third.ID,
			"ann log_in session:" + third.ID + " editor", "ann log_in session:" + again.ID + " editor",
			"oidc:bob@例え.jp log_in session:" + bob.ID + " publisher", "ann log_in session:" + ann.ID + " viewer",
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("audit (-want +got):\n%s", d)
		}
	})
}

func TestConsoleSessionSeen(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		session := s.mustLogIn(t, s.session("ann", popup.RoleViewer), "")
		for _, use := range []struct{ at, want int64 }{{startMS + 5, startMS + 5}, {startMS + 9, startMS + 9}, {startMS + 7, startMS + 9}} {
			if err := s.ConsoleSessionSeen(t.Context(), session.ID, use.at); err != nil {
				t.Fatal(err)
			}
			if got := s.sessions(t, session.ID)[0].SeenMS; got != use.want {
				t.Errorf("used at %d: the last use is %d, want %d", use.at, got, use.want)
			}
		}
	})
}

// A token takes the sessions that began with it along, and no others.
func TestDeletedTokenEndsSessions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if err := s.CreateAdminToken(t.Context(), createToken, s.adminToken("ci", popup.RoleViewer, time.Hour)); err != nil {
			t.Fatal(err)
		}
		ci, other := s.mustLogIn(t, s.session("ci", popup.RoleViewer), ""), s.mustLogIn(t, s.session("ci2", popup.RoleViewer), "")
		s.clock.advance(time.Minute)
		if _, err := s.DeleteAdminToken(t.Context(), deleteToken, "ci"); err != nil {
			t.Fatal(err)
		}
		ci.EndsMS = s.clock.now()
		if d := cmp.Diff([]popup.ConsoleSession{ci, other}, s.sessions(t, ci.ID, other.ID)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// Who logs in again and again leaves no more rows than there may be: those that have ended go
// first, then the ones that were used last longest ago.
func TestTooManySessions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		var ids []string
		for range popup.MaxSessionsEach {
			ids = append(ids, s.mustLogIn(t, s.session("ann", popup.RoleViewer), "").ID)
			s.clock.advance(time.Second)
		}
		if err := s.ConsoleSessionSeen(t.Context(), ids[0], s.clock.now()); err != nil {
			t.Fatal(err)
		}
		ended := ids[popup.MaxSessionsEach/2]
		if err := s.EndConsoleSession(t.Context(), popup.Change{}, ended); err != nil {
			t.Fatal(err)
		}
		s.mustLogIn(t, s.session("bob", popup.RoleViewer), "")
		for _, gone := range []string{ended, ids[1], ids[2]} {
			s.mustLogIn(t, s.session("ann", popup.RoleViewer), "")
			if left := s.sessions(t, gone); len(left) != 0 {
				t.Errorf("%+v is left", left[0])
			}
		}
		if n := s.number(t, "SELECT COUNT(*) FROM console_session WHERE name = 'ann'"); n != popup.MaxSessionsEach {
			t.Errorf("%d sessions, want %d", n, popup.MaxSessionsEach)
		}
		if len(s.sessions(t, ids[0])) == 0 {
			t.Error("the one that was used last is gone")
		}
	})
}

// Nothing may match a session that somebody has broken in the store.
func TestBrokenConsoleSession(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		broken, whole := s.mustLogIn(t, s.session("ann", popup.RoleAdmin), ""), s.mustLogIn(t, s.session("bob", popup.RoleViewer), "")
		hash := fmt.Sprintf("%064x", 0)
		for _, set := range []string{"hash = ''", "hash = '00'", "hash = 'xyz'", "hash = '" + hash + "', role = 'root'", "role = ''"} {
			s.exec(t, "UPDATE console_session SET "+set+" WHERE id = ?", broken.ID)
			if d := cmp.Diff([]popup.ConsoleSession{whole}, s.sessions(t, broken.ID, whole.ID)); d != "" {
				t.Errorf("%s (-want +got):\n%s", set, d)
			}
		}
	})
}

// Sessions are kept for a while after their end, some hundred are read, and deleted, at a time.
func TestOldConsoleSessionsAreRemoved(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		nowMS, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var old, young []string
		for i := range deleteBatch + sessionBatch {
			session := s.session(fmt.Sprint("u", i), popup.RoleViewer)
			session.CreatedMS = nowMS - keepSessions.Milliseconds() - 1
			if i%4 == 0 {
				session.CreatedMS += time.Minute.Milliseconds()
				young = append(young, session.ID)
			} else {
				old = append(old, session.ID)
			}
			s.mustLogIn(t, session, "")
		}
		if n := len(s.sessions(t, old...)); n != len(old) {
			t.Fatalf("%d of %d are read", n, len(old))
		}
		if finished, err := s.removeSessions(t.Context(), time.Now()); finished || err != nil {
			t.Errorf("one step: finished %v, %v", finished, err)
		}
		if n := len(s.sessions(t, old...)); n != len(old)-deleteBatch {
			t.Errorf("one step leaves %d, want %d", n, len(old)-deleteBatch)
		}
		if _, err := s.sweep(t.Context(), &oldRows{expiry: expiry{DB: s.DB}}, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if left, kept := len(s.sessions(t, old...)), len(s.sessions(t, young...)); left != 0 || kept != len(young) {
			t.Errorf("%d old ones are left; %d of %d young ones", left, kept, len(young))
		}
	})
}
