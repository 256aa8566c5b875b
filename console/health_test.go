package console_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/internal/apitest"
)

func TestHealth(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct {
		ready  error
		status int
		detail any
	}{
		{errors.New("restoring the users' state"), 503, "restoring the users' state"},
		{nil, 200, nil},
		{errors.New("draining"), 503, "draining"},
	} {
		p.set(func() { p.ready = c.ready })
		a := p.do("GET", "/readyz", "", "Authorization", "")
		if a.status != c.status || a.json(t)["detail"] != c.detail {
			t.Errorf("ready %v: %d %s", c.ready, a.status, a.body)
		}
		p.want(200, "", "GET", "/livez", "", "Authorization", "")
		if a := p.do("HEAD", "/readyz", ""); a.status != c.status || len(a.body) != 0 {
			t.Errorf("HEAD, ready %v: %d %s", c.ready, a.status, a.body)
		}
	}
	p.watcher.failing = errors.New("down")
	p.store.down = errors.New("down")
	p.set(func() { p.ready = nil })
	p.want(200, "", "GET", "/readyz", "")
}

func TestMetrics(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.want(404, "popup_not_found", "GET", popupsPath+"/none", "")
	a := p.want(200, "", "GET", "/metrics", "", "Authorization", "")
	for _, want := range []string{
		`popupd_admin_requests_total{code="201"} 1`,
		`popupd_admin_requests_total{code="404"} 1`,
		"popupd_admin_auth_failures_total 0",
		`popupd_build_info{goversion="` + runtime.Version() + `",version="v0"} 1`,
		"go_goroutines ",
		"process_open_fds ",
	} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(string(a.body))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range problems {
		t.Errorf("%s: %s", l.Metric, l.Text)
	}
	if n, err := testutil.GatherAndCount(p.registry, "popupd_admin_requests_total"); err != nil || n != 3 {
		t.Errorf("%d statuses counted (%v), want 201, 404 and 200", n, err)
	}
}

func TestProfiles(t *testing.T) {
	p := newPlane(t)
	for _, path := range []string{"", "heap", "goroutine?debug=1", "symbol", "profile?seconds=1", "trace?seconds=0.1"} {
		if a := p.want(200, "", "GET", "/debug/pprof/"+path, ""); len(a.body) == 0 {
			t.Errorf("%s: empty", path)
		}
	}
	if a := p.do("GET", "/debug/pprof/heap?seconds=x", ""); a.status != 400 {
		t.Errorf("seconds=x: %d", a.status)
	}
	p.want(404, "not_found", "GET", "/debug/pprof/cmdline", "")
	p.want(404, "not_found", "GET", "/debug/pprof/none", "")
}

func TestDescriptionIsServed(t *testing.T) {
	p := newPlane(t)
	a := p.want(200, "", "GET", "/openapi.yaml", "", "Authorization", "")
	if string(a.body) != string(docs.OpenAPI) {
		t.Error("/openapi.yaml is not docs/openapi.yaml")
	}
}

// Every operation is documented, and every one documented exists.
func TestOperationsAreDocumented(t *testing.T) {
	checker, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	documented := checker.Operations(func(tag string) bool { return tag != "data" })
	routed := newPlane(t).server.Operations()
	for _, op := range missing(documented, routed) {
		t.Errorf("%s is documented, but there is no such route", op)
	}
	for _, op := range missing(routed, documented) {
		t.Errorf("%s is not documented", op)
	}
}

// missing returns what of a is not in b.
func missing(a, b []string) []string {
	in := map[string]bool{}
	for _, s := range b {
		in[s] = true
	}
	var out []string
	for _, s := range a {
		if !in[s] {
			out = append(out, s)
		}
	}
	return out
}
