package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

const clients = 4

// load is a number of clients that poll and act, and the history of what they
// were answered.
type load struct {
	server *server
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	shown   map[string]bool // user and popup whose serving was acknowledged
	clicked map[string]bool // and whose click was
	errors  int             // requests that were not answered, or with a 5xx
	answers int
	wrong   []string // answers that should not have been
}

// attack starts the clients.
func attack(s *server) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{server: s, cancel: cancel, shown: make(map[string]bool), clicked: make(map[string]bool)}
	for n := range clients {
		l.wg.Go(func() { l.client(ctx, n) })
	}
	s.t.Cleanup(l.stop)
	return l
}

// stop ends the clients and waits for them.
func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
}

// client is one user after the other: a poll, a poll that must show nothing
// else of the same, perhaps a click, perhaps the same click again; and now and
// then an earlier user comes back.
func (l *load) client(ctx context.Context, number int) {
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-pause.C
		user := fmt.Sprintf("client-%d-user-%d", number, n)
		tokens := l.ask(user)
		if len(tokens) > 0 && rand.IntN(2) == 0 {
			for key, token := range tokens {
				l.click(key, token)
				if rand.IntN(4) == 0 {
					l.click(key, token)
				}
			}
		}
		if n > 0 && rand.IntN(3) == 0 {
			l.ask(fmt.Sprintf("client-%d-user-%d", number, rand.IntN(n)))
		}
	}
}

// ask polls until nothing more is shown and returns the token of each user and
// popup shown.
func (l *load) ask(user string) map[string]string {
	tokens := make(map[string]string)
	for range 4 {
		p, err := l.server.ask(user)
		l.mu.Lock()
		if err != nil {
			l.errors++
			l.mu.Unlock()
			return tokens
		}
		l.answers++
		if p == nil {
			l.mu.Unlock()
			return tokens
		}
		key := user + " " + p.Popup.Key
		if l.shown[key] {
			l.wrong = append(l.wrong, key+" was shown twice inside its cooldown")
		}
		l.shown[key] = true
		l.mu.Unlock()
		tokens[key] = p.Token
	}
	return tokens
}

func (l *load) click(key, token string) {
	status, err := l.server.act(token, "click")
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil || status >= 500:
		l.errors++
	case status == http.StatusAccepted:
		l.answers++
		l.clicked[key] = true
	default:
		l.wrong = append(l.wrong, fmt.Sprintf("%s: click answered %d", key, status))
	}
}

// check waits until everything acknowledged is in the database, and fails the
// test if any of it is missing or anything is there twice. Cooldowns of the
// popups must be longer than the test.
func (l *load) check(t *testing.T, db *sql.DB) {
	t.Helper()
	l.stop()
	for _, w := range l.wrong {
		t.Error(w)
	}
	eventually(t, 60*time.Second, func() error {
		if err := l.compare(db, "shown", 1, l.shown); err != nil {
			return err
		}
		if err := l.compare(db, "clicked", 2, l.clicked); err != nil {
			return err
		}
		return broken(db)
	})
	t.Logf("%d answers, %d errors; %d shown and %d clicked, each once in the database", l.answers, l.errors, len(l.shown), len(l.clicked))
	if len(l.shown) == 0 || len(l.clicked) == 0 {
		t.Error("the load did nothing")
	}
}

// compare returns an error if an acknowledged user and popup is not there, or
// any is there twice.
func (l *load) compare(db *sql.DB, what string, action int, acknowledged map[string]bool) error {
	rows, err := texts(db, "SELECT CONCAT(e.user_id, ' ', p.`key`) FROM event e JOIN popups p ON p.id = e.popup_id WHERE e.action = ?", action)
	if err != nil {
		return err
	}
	stored := make(map[string]int, len(rows))
	for _, key := range rows {
		stored[key]++
	}
	missing := 0
	for key := range acknowledged {
		if stored[key] == 0 {
			missing++
		}
	}
	twice := 0
	for _, n := range stored {
		if n > 1 {
			twice++
		}
	}
	if missing > 0 || twice > 0 {
		return fmt.Errorf("%s: %d acknowledged, of which %d are missing; %d are there twice", what, len(acknowledged), missing, twice)
	}
	return nil
}
