package persist

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

const claimLife = time.Minute

func (s *store) addNotice(t *testing.T, subject, id string) {
	t.Helper()
	if err := s.AddNotice(t.Context(), popup.Notice{Subject: subject, ID: id, Body: []byte(`{"of":"` + subject + `"}`)}); err != nil {
		t.Fatal(err)
	}
}

// claims returns the ids of the notices that can be claimed now, by when they are due.
func claims(t *testing.T, db *DB) (list []popup.ClaimedNotice) {
	t.Helper()
	for {
		n, ok, err := db.ClaimNotice(t.Context(), claimLife)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return list
		}
		list = append(list, n)
	}
}

func (s *store) noticeSent(t *testing.T, n popup.ClaimedNotice, a popup.Attempt) {
	t.Helper()
	if err := s.NoticeSent(t.Context(), n, a); err != nil {
		t.Fatal(err)
	}
}

// TestOutbox: a notice is claimed by one server at a time, again when the claim has expired
// or after a failure, and not once it is settled.
func TestOutbox(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		other := s.open(t)
		s.addNotice(t, "ended:1", "msg_1")
		s.addNotice(t, "ended:1", "msg_of_another_server")
		s.addNotice(t, "ended:2", "msg_2")
		first := claims(t, s.DB)
		for i, want := range []string{"msg_1", "msg_2"} {
			if i >= len(first) || first[i].ID != want || first[i].Attempt != 1 || first[i].Age > time.Minute {
				t.Fatalf("claimed %+v, want msg_1 and msg_2, for the first time", first)
			}
		}
		if want := `{"of":"ended:1"}`; string(first[0].Body) != want || first[0].Subject != "ended:1" {
			t.Errorf("claimed %s of %s", first[0].Body, first[0].Subject)
		}
		if list := claims(t, other); len(list) != 0 {
			t.Errorf("claimed while another server has them: %+v", list)
		}

		s.pass(t, claimLife) // the first server is gone
		second := claims(t, other)
		if len(second) != 2 || second[0].ID != "msg_1" || second[0].Attempt != 2 || second[0].Age < claimLife {
			t.Fatalf("claimed after the end of the claims: %+v", second)
		}
		s.noticeSent(t, first[0], popup.Attempt{Result: "200 of a claim that has expired", Settled: true})
		s.noticeSent(t, second[0], popup.Attempt{Result: "503", Again: time.Hour})
		s.noticeSent(t, second[1], popup.Attempt{Result: "204", Settled: true})
		s.pass(t, time.Hour-time.Second)
		if list := claims(t, s.DB); len(list) != 0 {
			t.Errorf("claimed before it is due: %+v", list)
		}
		s.pass(t, 2*time.Second)
		third := claims(t, s.DB)
		if len(third) != 1 || third[0].ID != "msg_1" || third[0].Attempt != 3 {
			t.Fatalf("claimed when it was due again: %+v", third)
		}
		s.noticeSent(t, third[0], popup.Attempt{Result: "200", Settled: true})
		s.pass(t, 2*claimLife)
		if list := claims(t, s.DB); len(list) != 0 {
			t.Errorf("claimed although all are settled: %+v", list)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM webhook_outbox WHERE settled_ms > 0 AND (result = '200' AND attempts = 3 OR result = '204' AND attempts = 2)"); n != 2 {
			t.Errorf("%d rows say what became of the notices, want 2", n)
		}
	})
}

// TestOutboxTogether: of servers that claim at once each gets others.
func TestOutboxTogether(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const notices, servers = 40, 4
		for i := range notices {
			s.addNotice(t, fmt.Sprint("subject ", i), fmt.Sprint("msg_", i))
		}
		var mu sync.Mutex
		times := map[string]int{}
		var running sync.WaitGroup
		for range servers {
			db := s.open(t)
			running.Go(func() {
				for {
					n, ok, err := db.ClaimNotice(t.Context(), claimLife)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					if ok {
						times[n.ID]++
					}
					done := len(times) == notices || err != nil
					mu.Unlock()
					if done {
						return
					}
				}
			})
		}
		running.Wait()
		for id, n := range times {
			if n != 1 {
				t.Errorf("%s was claimed %d times", id, n)
			}
		}
	})
}

func TestTrimOutbox(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const week = 7 * 24 * time.Hour
		trim := func(most, wantDropped, wantPending int) {
			t.Helper()
			dropped, pending, err := s.TrimOutbox(t.Context(), week, most)
			if err != nil || dropped != wantDropped || pending != wantPending {
				t.Errorf("dropped %d, pending %d, %v; want %d and %d", dropped, pending, err, wantDropped, wantPending)
			}
		}
		err := s.inTx(t.Context(), func(tx *sql.Tx) (err error) {
			for i := range outboxBatch + 10 {
				err = errors.Join(err, s.DB.addNotice(t.Context(), tx, popup.Notice{Subject: fmt.Sprint("subject ", i), ID: fmt.Sprint("msg_", i)}))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			n, _, err := s.ClaimNotice(t.Context(), claimLife)
			if err != nil {
				t.Fatal(err)
			}
			s.noticeSent(t, n, popup.Attempt{Result: "200", Settled: true})
		}
		trim(outboxBatch+7, 0, outboxBatch+7)
		s.pass(t, week+time.Second)
		trim(outboxBatch+7, 0, outboxBatch+7)
		if n := s.number(t, "SELECT COUNT(*) FROM webhook_outbox WHERE settled_ms > 0"); n != 0 {
			t.Errorf("%d settled notices are kept", n)
		}
		trim(5, outboxBatch+2, 5)
		if n := s.number(t, "SELECT MIN(id) FROM webhook_outbox"); n != outboxBatch+6 {
			t.Errorf("the oldest that is left is %d, want %d: the oldest are dropped", n, outboxBatch+6)
		}
		// A server that counted before the first one dropped them.
		if dropped, err := s.open(t).dropNotices(t.Context(), 5); dropped != 0 || err != nil {
			t.Errorf("a second server has dropped %d more, %v", dropped, err)
		}
	})
}

// TestNoticeOfChange: what is told of a change is kept with it, or not at all.
func TestNoticeOfChange(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustCreate(t, s, `{"key":"before"}`)
		var told []popup.PopupChange
		s.notice = func(c popup.PopupChange) (popup.Notice, bool) {
			told = append(told, c)
			return popup.Notice{Subject: fmt.Sprint("change ", len(told)), ID: fmt.Sprint("msg_", len(told)), Body: []byte("{}")}, c.After.Name != "quiet"
		}
		p := mustCreate(t, s, `{"key":"sale"}`)
		first := p.Encode()
		p.Status = popup.Active
		after, err := s.Put(t.Context(), popup.Change{Actor: "ann", Action: "activate"}, 1, p.Spec)
		if err != nil {
			t.Fatal(err)
		}
		want := popup.PopupChange{
			Change: popup.Change{Actor: "ann", Action: "activate"}, AtMS: s.clock.now(),
			BeforeVersion: 1, BeforeStatus: popup.Draft, Before: first, After: after,
		}
		if d := cmp.Diff(want, told[1]); d != "" {
			t.Error(d)
		}
		if told[0].BeforeVersion != 0 || told[0].Before != nil || told[0].After.ID != p.ID {
			t.Errorf("told of a new popup: %+v", told[0])
		}
		p.Name = "quiet"
		if _, err := s.Put(t.Context(), popup.Change{}, 0, p.Spec); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), popup.Change{}, 1, p.Spec); !errors.Is(err, popup.ErrStale) {
			t.Fatal(err)
		}
		if len(told) != 3 {
			t.Errorf("told of %d changes, want 3", len(told))
		}
		if list := claims(t, s.DB); len(list) != 2 || list[0].ID != "msg_1" || list[1].ID != "msg_2" {
			t.Errorf("kept %+v, want msg_1 and msg_2", list)
		}

		// The notice can't be kept, so the change isn't made.
		s.exec(t, "ALTER TABLE webhook_outbox RENAME TO elsewhere")
		if _, err := s.Put(t.Context(), popup.Change{}, 0, after.Spec); err == nil {
			t.Error("a change is made without its notice")
		}
		s.exec(t, "ALTER TABLE elsewhere RENAME TO webhook_outbox")
		if p, err := s.Popup(t.Context(), "sale"); err != nil || p.Version != 3 {
			t.Errorf("version %d, %v; want 3", p.Version, err)
		}
	})
}
