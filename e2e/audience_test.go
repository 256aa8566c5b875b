//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAudienceList: a list that is uploaded to one server is in force there at once and then on
// the other, which after a kill serves it from its own disk while both stores are down.
func TestAudienceList(t *testing.T) {
	t.Parallel()
	const members = 200_000
	st := startStores(t)
	a, b := start(t, st.args()...), start(t, st.args()...)
	var ids strings.Builder
	for i := range members {
		fmt.Fprintf(&ids, "member-%d\n", i)
	}
	r, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+a.Admin+"/v1/admin/audiences/vip", strings.NewReader(ids.String()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.Token)
	r.Header.Set("Content-Type", "text/plain")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("upload: %d", answer.StatusCode)
	}
	a.post(`{"key":"for-vip","status":"active","targeting":{"all":[{"attr":"audience","op":"in","value":["vip"]}]}}`)
	shows := func(s *server, round string) {
		t.Helper()
		if p := s.mustAsk("stranger-" + round); p != nil {
			t.Errorf("%s: %s is shown to who is no member", round, p.Popup.Key)
		}
	}
	if p := a.mustAsk("member-0"); p == nil {
		t.Error("a member is shown nothing where the list was uploaded")
	}
	shows(a, "uploaded")
	eventually(t, 10*time.Second, func() error {
		if b.mustAsk(fmt.Sprint("member-", members-1)) == nil {
			return fmt.Errorf("a member is shown nothing on the other server")
		}
		return nil
	})
	shows(b, "other")

	b.stop() // writes the dump of the users' state, without which it would wait for the database
	b.restart()
	b.Kill()
	st.mysql.Kill()
	st.redis.Kill()
	b.restart()
	if p := b.mustAsk("member-7"); p == nil {
		t.Error("a member is shown nothing after a kill without stores")
	}
	shows(b, "killed")
}
