package persist

import (
	"errors"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// An erasure is pending until the walk is over, done from then on, also when the rows
// of erasure are gone; the audit trail keeps the user or not, as it was chosen.
func TestErasureIsTold(t *testing.T) {
	for _, pseudonymise := range []bool{false, true} {
		eachStore(t, func(t *testing.T, s *store) {
			s.pseudonymise = pseudonymise
			ask := func(user string) int64 {
				t.Helper()
				id, err := s.AuditUser(t.Context(), popup.Change{Actor: "ann", Action: actionReset}, user)
				if err != nil {
					t.Fatal(err)
				}
				return id
			}
			told := func(id int64, done, audited bool) {
				t.Helper()
				e, err := s.Erasure(t.Context(), id)
				if err != nil || e.ID != id || e.AskedMS != startMS || (e.DoneMS > 0) != done || e.Audited != audited {
					t.Errorf("erasure %d: %+v, %v; want done %v, audited %v", id, e, err, done, audited)
				}
			}
			first, again, other := ask("u"), ask("u"), ask("u ")
			s.register(t, streamID(1))
			s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS), reset("u", startMS+50), reset("u", startMS+60)))
			told(first, false, true)
			s.pass(t, erasureSettle)
			s.sweepAll(t)
			told(first, true, !pseudonymise)
			told(again, true, !pseudonymise)
			told(other, false, true)
			if n := s.number(t, "SELECT COUNT(*) FROM audit WHERE action = 'erased'"); n != 2 {
				t.Errorf("%d lines say that a user was erased, want one for each time it was asked for", n)
			}
			s.pass(t, popup.TokenLife)
			s.sweepAll(t)
			told(first, true, !pseudonymise)
			for _, id := range []int64{0, other + 1, 1000} { // other + 1 is the line of the erasure itself
				if _, err := s.Erasure(t.Context(), id); !errors.Is(err, popup.ErrNotFound) {
					t.Errorf("erasure %d: %v, want %v", id, err, popup.ErrNotFound)
				}
			}
		})
	}
}

// An erasure does not read the whole audit trail, which is kept for ever.
func TestErasureReadsFewLines(t *testing.T) {
	s := onMySQL(t)
	s.pseudonymise = true
	s.register(t, streamID(1))
	const lines = 20_000
	s.exec(t, "INSERT INTO audit (at_ms, actor, action, object, from_version, to_version)"+
		" SELECT seq, 'ann', 'reset', CONCAT('user:other', seq), 0, 0 FROM "+storetest.Numbers(lines))
	for range 3 {
		if _, err := s.AuditUser(t.Context(), popup.Change{Actor: "ann", Action: actionReset}, "u"); err != nil {
			t.Fatal(err)
		}
	}
	s.mustFlush(t, batchOf(streamID(1), 0, reset("u", startMS+50)))
	s.pass(t, erasureSettle)
	reads := func() int64 {
		return s.number(t, "SELECT SUM(VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('HANDLER_READ_RND_NEXT', 'HANDLER_READ_NEXT', 'HANDLER_READ_PREV')")
	}
	before := reads()
	s.sweepAll(t)
	if n := reads() - before; n > lines/2 {
		t.Errorf("%d rows are read", n)
	}
	if n := s.number(t, "SELECT COUNT(*) FROM audit WHERE action = 'erased' OR action = 'reset' AND object LIKE 'erasure:%'"); n != 6 {
		t.Errorf("%d lines are about the erasures, want 6", n)
	}
}
