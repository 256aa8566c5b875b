//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// TestReadyKnowsPeers: a server that is ready knows what the others have shown while it
// was away, also what nobody has committed yet.
func TestReadyKnowsPeers(t *testing.T) {
	args := []string{"-mysql", storetest.MySQL(t), "-redis", "redis://" + storetest.Redis(t), "-secret", "shared by both servers", "-flush=false"}
	a, b := start(t, args...), start(t, args...)
	a.create("one", `{}`)
	eventually(t, 5*time.Second, func() error {
		if b.mustAsk("first") == nil {
			return errors.New("the other server does not know the popup")
		}
		return nil
	})
	a.stop()
	const users = 200
	for n := range users {
		if b.mustAsk(fmt.Sprint("user", n)) == nil {
			t.Fatal("nothing to show")
		}
	}
	eventually(t, 5*time.Second, func() error { // it ships each 20 ms
		if n := b.mustMetric("popupd_shipped_events_total"); n < users+1 {
			return fmt.Errorf("%v events are shipped", n)
		}
		return nil
	})
	a.restart()
	twice := 0
	for n := range users {
		if a.mustAsk(fmt.Sprint("user", n)) != nil {
			twice++
		}
	}
	if twice > 0 {
		t.Errorf("%d of %d users see the popup again", twice, users)
	}
	eventually(t, 5*time.Second, func() error {
		if lag := a.mustMetric("popupd_peer_lag_seconds"); lag != 0 {
			return fmt.Errorf("it lags by %v s", lag)
		}
		return nil
	})
}

// TestServersShareUsers: what a user is shown by one server, the other knows;
// a user who is forgotten on one is forgotten on both. So is a token that one ends. The database takes the name out of its
// events later, see persist.
func TestServersShareUsers(t *testing.T) {
	dsn := storetest.MySQL(t)
	args := []string{"-mysql", dsn, "-redis", "redis://" + storetest.Redis(t), "-secret", "shared by both servers", "-trusted-proxies", "127.0.0.0/8"}
	a, b := start(t, args...), start(t, args...)
	db := openDB(t, dsn)
	a.create("one", `{}`)
	known := func(s *server, user string) (n int) {
		var answer struct{ States []struct{ Popup string } }
		if status := s.admin("GET", "/v1/admin/users/"+user, "", "", &answer); status != http.StatusOK {
			t.Fatalf("user: %d", status)
		}
		return len(answer.States)
	}
	within := func(what string, want int) {
		t.Helper()
		eventually(t, 5*time.Second, func() error {
			if n := known(b, "shared"); n != want {
				return fmt.Errorf("%s: the other server knows %d states, want %d", what, n, want)
			}
			return nil
		})
	}

	viewer := newNamedToken(a, "viewer")
	viewer.is(a, 200, "at once")
	viewer.is(b, 200, "at once on another server")
	previewOnAnother(t, a, b)
	if a.mustAsk("shared") == nil {
		t.Fatal("nothing to show")
	}
	within("after a poll", 1)
	if p := b.mustAsk("shared"); p != nil {
		t.Errorf("the other server shows %s again", p.Popup.Key)
	}

	if status := a.admin("DELETE", "/v1/admin/tokens?name="+viewer.name, "", "", nil); status != http.StatusNoContent {
		t.Fatalf("end of a token: %d", status)
	}
	viewer.is(a, 401, "once it is deleted")
	if status := a.admin("DELETE", "/v1/admin/users/shared", "", "", nil); status != http.StatusAccepted {
		t.Fatalf("reset: %d", status)
	}
	within("after a reset", 0)
	eventually(t, 5*time.Second, func() error { return viewer.try(b, 401) })
	eventually(t, 30*time.Second, func() error {
		events, err := queryInt(db, "SELECT COUNT(*) FROM event")
		if err != nil {
			return err
		}
		states, err := queryInt(db, "SELECT COUNT(*) FROM user_popup")
		if err != nil || events != 2 || states != 0 {
			return fmt.Errorf("%d events, %d states, %v; want 2 and none", events, states, err)
		}
		return nil
	})
	if b.mustAsk("shared") == nil {
		t.Error("a user who was forgotten is shown nothing")
	}
	targetedOnAnother(t, a, b)
	importedOnAnother(t, a, b)
}

// previewOnAnother previews a draft, which is saved nowhere, on another server than the
// one that made the token. It must leave no trace.
func previewOnAnother(t *testing.T, a, b *server) {
	t.Helper()
	var preview struct{ Token string }
	draft := `{"popup":{"variants":[{"key":"b","content":{"title":"Hello"},"translations":{"zh-Hant":{"title":"你好"}}}]}}`
	if status := a.admin("POST", "/v1/admin/popups/unsaved/preview", draft, "", &preview); status != http.StatusOK {
		t.Fatalf("preview: %d", status)
	}
	status, answer, err := b.get(b.dataURL + "/v1/poll?uid=shared&locale=zh-HK&preview=" + preview.Token)
	const begins = `{"popup":{"id":0,"key":"unsaved","version":0,"variant":"b","placement":"default","content":{"title":"你好"},"locale":"zh-Hant"},"token":"","preview":true,`
	if err != nil || status != http.StatusOK || !strings.HasPrefix(string(answer), begins) {
		t.Errorf("preview: %d %s, %v", status, answer, err)
	}
	if status, err := b.act(preview.Token, "click"); status != http.StatusUnauthorized {
		t.Errorf("an action with a preview: %d, %v", status, err)
	}
}

// namedToken is a token of the role viewer.
type namedToken struct{ name, token string }

// newNamedToken makes a token on a server.
func newNamedToken(s *server, name string) *namedToken {
	s.t.Helper()
	n := &namedToken{name: name}
	var created struct{ Token string }
	if status := s.admin("POST", "/v1/admin/tokens", fmt.Sprintf(`{"name":%q,"role":"viewer"}`, name), "", &created); status != http.StatusCreated {
		s.t.Fatalf("token: %d", status)
	}
	n.token = created.Token
	return n
}

// try returns an error unless a server answers a request with the token with a status.
func (n *namedToken) try(s *server, want int) error {
	req, err := http.NewRequest("GET", s.adminURL+"/v1/admin/popups", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+n.token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != want {
		return fmt.Errorf("the token %s gets %d, want %d", n.name, resp.StatusCode, want)
	}
	return nil
}

func (n *namedToken) is(s *server, want int, when string) {
	s.t.Helper()
	if err := n.try(s, want); err != nil {
		s.t.Errorf("%s: %v", when, err)
	}
}
