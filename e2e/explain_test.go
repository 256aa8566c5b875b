//go:build linux

package e2e

import (
	"os/exec"
	"strings"
	"time"
)

// explanation is what an explanation says of a poll.
type explanation struct {
	Winner     *string
	Candidates []struct {
		Key        string
		BlockedBy  *string    `json:"blocked_by"`
		EligibleAt *time.Time `json:"eligible_at"`
	}
}

// explain explains a poll of the user now.
func (s *server) explain(user string) (e explanation) {
	s.t.Helper()
	if status := s.admin("POST", "/v1/admin/explain", `{"uid":"`+user+`"}`, "", &e); status != 200 {
		s.t.Fatalf("explain answers %d", status)
	}
	return e
}

// explained: what an explanation says is what the polls then come to, before and after a
// restart, and the popup that waits is returned when it says so and not before.
func explained(d *deployment) {
	s := d.server()
	s.create("one", `{"after_impression_sec":4}`)
	if e := s.explain("u"); e.Winner == nil || *e.Winner != "one" {
		d.t.Fatalf("before the first poll: %+v", e)
	}
	s.mustShow("u", "one")
	e := s.explain("u")
	c := e.Candidates[0]
	if e.Winner != nil || c.Key != "one" || c.BlockedBy == nil || *c.BlockedBy != "cooldown_impression" || c.EligibleAt == nil {
		d.t.Fatalf("after the first poll: %+v", e)
	}
	command := exec.Command(s.Binary, "explain", "-uid", "u", "-server", s.adminURL)
	command.Env = []string{"POPUPD_TOKEN=" + adminToken}
	printed, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(printed), "cooldown_impression") || !strings.Contains(string(printed), c.EligibleAt.Format(time.RFC3339Nano)) {
		d.t.Errorf("popupd explain: %v\n%s", err, printed)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		asked := time.Now()
		p := s.mustAsk("u")
		switch {
		case p == nil && asked.After(*c.EligibleAt):
			d.t.Fatalf("not returned at %v, explained %v", asked, c.EligibleAt)
		case p != nil && time.Now().Before(*c.EligibleAt):
			d.t.Fatalf("returned at %v, explained %v", time.Now(), c.EligibleAt)
		case p == nil && time.Now().Before(deadline):
			continue
		}
		break
	}
	s.waitDrained()
	s.Kill()
	s.restart()
	if e := s.explain("u"); e.Winner == nil && *e.Candidates[0].BlockedBy != "cooldown_impression" {
		d.t.Errorf("after a restart: %+v", e)
	}
}
