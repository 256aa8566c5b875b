//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// experimentArm is what the endpoint says of a variant, as far as clients' books know it.
type experimentArm struct {
	Variant  string
	Control  bool
	Baseline bool

	Users, Converted int
}

// wantExperiment waits until the experiment of a popup says what the books do, the control
// first. Another server may have to notice first that the one that counted was killed.
func (s *server) wantExperiment(t *testing.T, key, goal string, want ...experimentArm) {
	t.Helper()
	want[0].Baseline = true
	var got struct {
		Status string
		Arms   []experimentArm
		SRM    struct{ Status string }
		Mixed  int `json:"mixed_users"`
	}
	eventually(t, 30*time.Second, func() error {
		if status := s.admin("GET", "/v1/admin/popups/"+key+"/experiment?goal="+goal, "", "", &got); status != http.StatusOK {
			return fmt.Errorf("experiment: %d", status)
		}
		if d := cmp.Diff(want, got.Arms); d != "" {
			return fmt.Errorf("%s of the experiment (-books +answer):\n%s", goal, d)
		}
		return nil
	})
	if got.Mixed != 0 || got.SRM.Status != "ok" {
		t.Errorf("%d users in two variants, mismatch %s", got.Mixed, got.SRM.Status)
	}
}
