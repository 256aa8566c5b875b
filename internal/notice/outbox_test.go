package notice

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

// eachStore runs a test on MariaDB and on SQLite. open opens the store once more; exec is
// for what only a test does to it.
func eachStore(t *testing.T, test func(t *testing.T, open func() *persist.DB, exec func(query string))) {
	t.Helper()
	for name, c := range map[string]persist.Config{
		"mysql":  {DSN: storetest.MySQL(t)},
		"sqlite": {SQLite: filepath.Join(t.TempDir(), "popupd.db")},
	} {
		t.Run(name, func(t *testing.T) {
			open := func() *persist.DB {
				db, err := persist.Open(c)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				return db
			}
			if err := open().Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			raw, err := sql.Open(name, c.DSN+c.SQLite)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { raw.Close() })
			test(t, open, func(query string) {
				t.Helper()
				if _, err := raw.Exec(query); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestOneServerSends: of servers that send from one store each notice comes from one of them.
func TestOneServerSends(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() *persist.DB, _ func(string)) {
		const servers, notices = 3, 30
		r := newReceiver(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, servers)
		for range servers {
			s, _ := newTestSender(t, open(), r.URL)
			go func() { ended <- s.Run(ctx) }()
		}
		db := open()
		var want []string
		for i := range notices {
			n := popup.Notice{Subject: fmt.Sprint("subject ", i), ID: fmt.Sprintf("msg_%02d", i), Body: []byte("{}")}
			want = append(want, n.ID)
			for range servers { // as all of them see what nobody has done
				if err := db.AddNotice(t.Context(), n); err != nil {
					t.Fatal(err)
				}
				n.ID = "msg_of_another"
			}
		}
		for deadline := time.Now().Add(20 * time.Second); len(r.ids()) < notices && time.Now().Before(deadline); {
			<-time.After(10 * time.Millisecond)
		}
		cancel()
		for range servers {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		got := r.ids()
		slices.Sort(got)
		wantSame(t, "delivered", got, want)
	})
}

// dying is the store of a server that dies once it has sent a notice.
type dying struct{ *persist.DB }

func (dying) NoticeSent(context.Context, popup.ClaimedNotice, popup.Attempt) error {
	return io.ErrUnexpectedEOF
}

// TestServerDiesBeforeItNotes: another server sends the notice again once the claim has
// expired, with the same id and body.
func TestServerDiesBeforeItNotes(t *testing.T) {
	eachStore(t, func(t *testing.T, open func() *persist.DB, exec func(string)) {
		r := newReceiver(t, nil)
		db := open()
		n, _ := OfChange(changeOf(t, "", `{"key":"sale","status":"active"}`))
		if err := db.AddNotice(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		first, _ := newTestSender(t, dying{db}, r.URL)
		first.step(t.Context())
		second, _ := newTestSender(t, open(), r.URL)
		second.step(t.Context())
		wantSame(t, "delivered while the claim holds", r.ids(), []string{n.ID})
		exec(fmt.Sprintf("UPDATE webhook_outbox SET due_ms = due_ms - %d", claimLife.Milliseconds()))
		for range 3 {
			second.step(t.Context())
		}
		wantSame(t, "delivered", r.ids(), []string{n.ID, n.ID})
		wantSame(t, "bodies", r.got[0].body, r.got[1].body)
	})
}
