package persist

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/popupd/popupd/popup"
)

func serverNamed(name string) popup.Server {
	return popup.Server{
		ID: strings.Repeat(name[:1], 32), Name: name, Address: "10.0.0.1:8080", Version: "v1.2.3", State: popup.ServerReady, Revision: 41, WaitingEvents: 7,
		OldestEventMS: 350, JournalBytes: 1 << 20, JournalMaxBytes: 1 << 30, UptimeMS: 60_000,
	}
}

// wantServers checks the listed servers, but for how long ago they were seen.
func wantServers(t *testing.T, db *DB, when string, want ...popup.Server) {
	t.Helper()
	got, err := db.Servers(t.Context())
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(popup.Server{}, "SeenMSAgo"), cmpopts.EquateEmpty()); err != nil || d != "" {
		t.Errorf("%s: servers %v (-want +got):\n%s", when, err, d)
	}
}

// TestServers: what servers tell of themselves, whatever their clocks say, until they are
// away, are removed, or nothing was heard of them for a day.
func TestServers(t *testing.T) {
	eachSkew(t, func(t *testing.T, s *store, right, wrong *DB) {
		a, b := serverNamed("a-host"), serverNamed("b-host")
		for db, server := range map[*DB]popup.Server{right: b, wrong: a} {
			if err := db.Beat(t.Context(), server); err != nil {
				t.Fatal(err)
			}
		}
		wantServers(t, right, "two have told", a, b)
		wantServers(t, wrong, "two have told, asked by the other", a, b)

		s.pass(t, popup.ServerAwayAfter-time.Second)
		b.State, b.Revision, b.UptimeMS, b.Version = popup.ServerDraining, 42, 61_000, strings.Repeat("é", maxVersion)
		if err := right.Beat(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b.Version = strings.Repeat("é", maxVersion/2)
		wantServers(t, wrong, "one has told again", a, b)
		s.pass(t, 2*time.Second)
		a.State = popup.ServerAway
		wantServers(t, right, "one was killed", a, b)
		got, err := right.Servers(t.Context())
		if err != nil || got[0].SeenMSAgo < popup.ServerAwayAfter.Milliseconds() || got[0].SeenMSAgo > time.Minute.Milliseconds() {
			t.Errorf("the one that was killed was seen %d ms ago, %v", got[0].SeenMSAgo, err)
		}
		if err := right.RemoveServer(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
		wantServers(t, right, "one has ended", a)

		s.pass(t, keepServers)
		wantServers(t, right, "a day later")
		if n := s.number(t, "SELECT COUNT(*) FROM server"); n != 1 {
			t.Errorf("%d rows before the sweep, want 1", n)
		}
		if err := right.Beat(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if _, err := right.sweep(t.Context(), &oldRows{expiry: expiry{DB: right}}, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM server"); n != 1 {
			t.Errorf("%d rows after the sweep, want 1", n)
		}
	})
}

// TestServersThatFail: a store that is away says so.
func TestServersThatFail(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		db := s.open(t)
		db.Close()
		_, errList := db.Servers(t.Context())
		_, errCounted := db.Counted(t.Context())
		for i, err := range []error{db.Beat(t.Context(), serverNamed("a")), db.RemoveServer(t.Context(), "a"), db.removeOldServers(t.Context()), errList, errCounted} {
			if err == nil {
				t.Errorf("call %d of a closed store succeeds", i)
			}
		}
	})
}

// TestCounted: the number moves with each flush, on whichever server.
func TestCounted(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		other := s.open(t)
		var numbers []int64
		look := func() {
			t.Helper()
			n, err := other.Counted(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, n)
		}
		look()
		for i := range byte(3) {
			s.register(t, streamID(i))
			s.mustFlush(t, batchOf(streamID(i), 0, shown("u", startMS+int64(i))))
			look()
		}
		if len(slices.Compact(numbers)) != 4 {
			t.Errorf("numbers %d, want each to differ", numbers)
		}
	})
}
