package api_test

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkImport imports the most popups that an import may have, on SQLite: all of them new,
// then the same once more, and one that has changed.
func BenchmarkImport(b *testing.B) {
	p, _ := newSQLitePlane(b)
	popups := make([]string, 10_000)
	for i := range popups {
		popups[i] = fmt.Sprintf(`{"key":"p%d","status":"active","priority":%d,"variants":[{"key":"a","content":{"title":"%s"}}]}`, i, i, strings.Repeat("x", 800))
	}
	send := func(b *testing.B, method, path string) {
		body := `{"source":"repo","popups":[` + strings.Join(popups, ",") + `]}`
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		runtime.GC()
		var peak atomic.Uint64
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
			for {
				metrics.Read(sample)
				peak.Store(max(peak.Load(), sample[0].Value.Uint64()))
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		}()
		p.server.ServeHTTP(w, r)
		close(stop)
		<-done
		if w.Code != 200 {
			b.Fatalf("%s %s: %d %.200s", method, path, w.Code, w.Body)
		}
		b.ReportMetric(float64(peak.Load())/1e6, "peakMB")
	}
	for _, c := range []struct {
		name, method, path string
		before             func()
	}{
		{"dry run of new ones", "PUT", importPath + "?dry_run=1", func() {}},
		{"new ones", "PUT", importPath, func() {}},
		{"unchanged", "PUT", importPath, func() {}},
		{"one changed", "PUT", importPath, func() { popups[17] = strings.Replace(popups[17], "xx", "y", 1) }},
		{"all changed", "PUT", importPath, func() {
			for i := range popups {
				popups[i] = strings.Replace(popups[i], `"active"`, `"paused"`, 1)
			}
		}},
		{"export", "GET", configurationPath, func() {}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.before()
			for b.Loop() {
				send(b, c.method, c.path)
			}
		})
	}
}
