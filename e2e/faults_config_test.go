//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// configFaults are about a change of a popup that nobody tells the server of.
var configFaults = []fault{
	{
		name: "redis: cut while another server changes a popup", layout: proxiedLayout, evidence: `no news of changes`,
		run: func(sys *system) {
			other := sys.another(sys.t.TempDir(), "-redis", sys.redis.URL()) // past the proxy
			defer other.Kill()
			other.waitReady()
			place := fmt.Sprintf("place-%d", sys.rand.Uint32())
			sys.limitRetries(func() {
				sys.proxies.redis.set(conditions{down: true})
				sys.pause(2500*time.Millisecond, 3500*time.Millisecond) // 2 s after it subscribes it reads the popups anyway
				body := fmt.Sprintf(`{"key":%q,"status":"active","placements":[%q],"variants":[{"key":"a","content":{}}]}`, place, place)
				if status := other.admin("POST", "/v1/admin/popups", body, "", nil); status != http.StatusCreated {
					sys.t.Fatalf("create: %d", status)
				}
				changed := time.Now()
				// The store is asked each second; the rest is for a machine that has much else to do.
				eventually(sys.t, 10*time.Second, func() error { return sys.look(place) })
				sys.note("served after %v;", time.Since(changed).Round(time.Millisecond))
				sys.pause(500*time.Millisecond, time.Second)
				sys.proxies.redis.set(conditions{})
			})
		},
	},
}

// look polls for a popup at a place that nobody else looks at.
func (sys *system) look(place string) error {
	a := attempt{At: time.Now(), User: "visitor-of-" + place, Action: "poll", Outcome: acked}
	status, body, err := sys.server.get(sys.server.dataURL + "/v1/poll?placement=" + place + "&uid=" + a.User)
	a.Took = time.Since(a.At)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("poll answers %d", status)
	}
	if err != nil {
		return err
	}
	var p pollAnswer
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	if a.Served, err = servedAt(p.Token); err != nil {
		return err
	}
	a.Popup = p.Popup.ID
	sys.history.add(a)
	return nil
}
