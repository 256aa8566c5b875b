//go:build linux

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hook is a receiver of webhooks, which refuses the first request.
type hook struct {
	secret []byte

	mu      sync.Mutex
	refused bool
	told    []string // type, key of the popup and actor of what was taken, in its order
	ids     map[string]int
	wrong   []string
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	id, second := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, h.secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, second, body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); err != nil || r.Header.Get("webhook-signature") != want {
		h.wrong = append(h.wrong, fmt.Sprintf("%v %v %s", err, r.Header, body))
	}
	h.ids[id]++
	if !h.refused {
		h.refused = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var m struct {
		Type string
		Text string
		Data struct {
			Popup  struct{ Key string }
			Action string
		}
	}
	if err := json.Unmarshal(body, &m); err != nil || m.Text == "" {
		h.wrong = append(h.wrong, string(body))
	}
	h.told = append(h.told, strings.TrimSpace(m.Type+" "+m.Data.Popup.Key+" "+m.Data.Action))
}

// TestWebhooks: two servers tell a receiver that is away at first of each change once, signed,
// also of one that was made by a server which then died, and of an end that nobody made.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	h := &hook{ids: map[string]int{}}
	h.secret, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	receiver := httptest.NewServer(h)
	defer receiver.Close()
	d := newDeployment(t, startStores(t), "webhooks", "-webhook", receiver.URL+"/quokka?key=wombat", "-webhook-secret-file", write(t, "secret", secret))
	a, b := d.server(), d.server()
	a.post(`{"key":"quiet"}`)
	a.post(`{"key":"over","status":"active","schedule":{"end_at":"` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"}}`)
	a.create("sale", noWaits)
	if status := b.admin("POST", "/v1/admin/popups/sale/pause", "", "", nil); status != http.StatusOK {
		t.Fatal(status)
	}
	if status := b.admin("PUT", "/v1/admin/import", `{"popups":[{"key":"sale","status":"active"}],"source":"shop.yaml"}`, "", nil); status != http.StatusOK {
		t.Fatal(status)
	}
	b.Kill()
	b.restart() // which looks for what has ended at once
	want := []string{"popup.ended over", "popup.paused sale pause", "popup.published over create", "popup.published sale create", "popup.published sale update"}
	eventually(t, 30*time.Second, func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		told := slices.Clone(h.told)
		slices.Sort(told)
		if !slices.Equal(slices.Compact(slices.Clone(told)), want) {
			return fmt.Errorf("told %q, want %q", told, want)
		}
		return nil
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ids) != len(want) || len(h.wrong) > 0 {
		t.Errorf("%d ids of %d notices; wrong: %q", len(h.ids), len(want), h.wrong)
	}
	d.wantRows("notices", len(want), "SELECT COUNT(*) FROM webhook_outbox")
	for _, s := range []*server{a, b} {
		if log := s.Log(); strings.Contains(log, "quokka") || strings.Contains(log, "wombat") || strings.Contains(log, "MfKQ9r8") {
			t.Errorf("the log shows the URL or the secret:\n%s", tail(log, 2000))
		}
	}
}
