//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Of more clients than can be answered some are rejected and come back, the others
// are answered, and when they have gone everybody is.
func TestOverloadIsShed(t *testing.T) {
	s := start(t, "-shed-after", "1ms")
	s.create("hello", `{}`)
	shown := s.mustAsk("overload")
	if shown == nil {
		t.Fatal("nothing is shown")
	}
	// Forged tokens, which are dear to check and leave nothing to record.
	click := fmt.Sprintf(`{"token":%q,"action":"click"}`, shown.Token[:len(shown.Token)-2]+"AA")
	body := "[" + strings.Repeat(click+",", 49) + click + "]"
	var taken, shed atomic.Int64
	var clients sync.WaitGroup
	end := make(chan struct{})
	stop := sync.OnceFunc(func() { close(end); clients.Wait() })
	t.Cleanup(stop)
	for range 500 {
		clients.Go(func() {
			transport := &http.Transport{MaxConnsPerHost: 1}
			defer transport.CloseIdleConnections()
			client := http.Client{Transport: transport, Timeout: 20 * time.Second}
			for {
				select {
				case <-end:
					return
				default:
				}
				resp, err := client.Post(s.dataURL+"/v1/actions", "text/plain", strings.NewReader(body))
				if err != nil {
					continue // its connection was closed just then
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				switch resp.StatusCode {
				case http.StatusAccepted:
					taken.Add(1)
				case http.StatusServiceUnavailable:
					if shed.Add(1); resp.Header.Get("Retry-After") == "" || resp.Close {
						t.Errorf("rejected without Retry-After, or with the connection closed: %v", resp.Header)
					}
					select {
					case <-end:
						return
					case <-time.After(100 * time.Millisecond): // less than it says
					}
				default:
					t.Errorf("action: %s", resp.Status)
				}
			}
		})
	}
	eventually(t, 30*time.Second, func() error {
		if taken.Load() < 200 || shed.Load() < 200 {
			return fmt.Errorf("%d requests taken, %d rejected, want 200 of each", taken.Load(), shed.Load())
		}
		return nil
	})
	stop()
	s.waitServed("after")
	_, text, err := s.get(s.adminURL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	counted := 0.0
	_, after, _ := strings.Cut(string(text), `popupd_http_errors_total{code="overloaded"} `)
	if _, err := fmt.Sscan(after, &counted); err != nil || counted < float64(shed.Load()) {
		t.Errorf("%v counted as overloaded (%v), %d were rejected", counted, err, shed.Load())
	}
}
