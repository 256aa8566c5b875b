//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// TestServersAreTold: what one server tells pages of all of them: one that is killed is away within
// 20 s and comes back as the same, one that ends is gone.
func TestServersAreTold(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, startStores(t), "servers")
	s, other := d.server(), d.server()
	await := func(want string) []popup.Server {
		d.t.Helper()
		r, err := http.NewRequestWithContext(d.t.Context(), "GET", s.adminURL+"/live?system=1", nil)
		if err != nil {
			d.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+adminToken)
		res, err := http.DefaultClient.Do(r) // which has no time limit
		if err != nil {
			d.t.Fatal(err)
		}
		defer res.Body.Close()
		var told struct {
			Servers []popup.Server
			Server  string
		}
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		got := ""
		for deadline, event := time.Now().Add(40*time.Second), ""; time.Now().Before(deadline) && lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = rest
			}
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok || event != "system" {
				continue
			}
			if err := json.Unmarshal([]byte(data), &told); err != nil {
				d.t.Fatal(err)
			}
			got = ""
			for _, o := range told.Servers {
				name := "other"
				if o.ID == told.Server {
					name = "this"
				}
				got += fmt.Sprintf(" %s:%s", name, o.State)
			}
			if sorted(got) == sorted(want) {
				return told.Servers
			}
		}
		d.t.Fatalf("the servers are%s, want %s; the stream: %v", got, want, lines.Err())
		return nil
	}
	before := await("this:ready other:ready")
	other.Kill()
	begin := time.Now()
	await("this:ready other:away")
	if took := time.Since(begin); took < popup.ServerAwayAfter-popup.ServerBeat || took > 20*time.Second {
		d.t.Errorf("a server that was killed is away after %v", took)
	}
	other.restart()
	after := await("this:ready other:ready")
	for i := range after {
		if before[i].ID != after[i].ID {
			d.t.Errorf("server %d was %s and comes back as %s", i, before[i].ID, after[i].ID)
		}
	}
	other.stop()
	await("this:ready")
}

// sorted returns words in their order.
func sorted(words string) string {
	list := strings.Fields(words)
	slices.Sort(list)
	return strings.Join(list, " ")
}
