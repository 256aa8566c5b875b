package console_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		p.SetReady(c.ready)
		a := p.Send("GET", "/readyz", "", "Authorization", "")
		if a.Status != c.status || a.JSON(t)["detail"] != c.detail {
			t.Errorf("ready %v: %d %s", c.ready, a.Status, a.Body)
		}
		p.Want(200, "", "GET", "/livez", "", "Authorization", "")
		if a := p.Send("HEAD", "/readyz", ""); a.Status != c.status || len(a.Body) != 0 {
			t.Errorf("HEAD, ready %v: %d %s", c.ready, a.Status, a.Body)
		}
	}
}

func TestMetrics(t *testing.T) {
	p := newPlane(t)
	p.Want(200, "", "GET", popupsPath, "")
	p.Want(404, "not_found", "GET", "/none", "")
	a := p.Want(200, "", "GET", "/metrics", "", "Authorization", "")
	for _, want := range []string{
		`popupd_admin_requests_total{code="200"} 1`,
		`popupd_admin_requests_total{code="404"} 1`,
		"popupd_admin_auth_failures_total 0",
		`popupd_build_info{goversion="` + runtime.Version() + `",version="v0"} 1`,
		"go_goroutines ",
		"process_open_fds ",
	} {
		if !strings.Contains(string(a.Body), want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(string(a.Body))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range problems {
		t.Errorf("%s: %s", l.Metric, l.Text)
	}
	if n, err := testutil.GatherAndCount(p.registry, "popupd_admin_requests_total"); err != nil || n != 2 {
		t.Errorf("%d statuses counted (%v), want 200 and 404", n, err)
	}
}

func TestProfiles(t *testing.T) {
	p := newPlane(t)
	for _, path := range []string{"", "/", "/heap", "/goroutine?debug=1", "/symbol", "/profile?seconds=1", "/trace?seconds=0.1"} {
		if a := p.Want(200, "", "GET", "/debug/pprof"+path, ""); len(a.Body) == 0 {
			t.Errorf("%s: empty", path)
		}
	}
	if a := p.Send("GET", "/debug/pprof/heap?seconds=x", ""); a.Status != 400 {
		t.Errorf("seconds=x: %d", a.Status)
	}
	p.Want(404, "not_found", "GET", "/debug/pprof/cmdline", "")
	p.Want(404, "not_found", "GET", "/debug/pprof/none", "")
}

func TestDescriptionIsServed(t *testing.T) {
	p := newPlane(t)
	a := p.Want(200, "", "GET", "/openapi.yaml", "", "Authorization", "")
	if string(a.Body) != string(docs.OpenAPI) {
		t.Error("/openapi.yaml is not docs/openapi.yaml")
	}
}

// Every operation of the console's own is documented, and every one documented exists.
func TestOperationsAreDocumented(t *testing.T) {
	checker, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	ofParts := func(op string) bool { return strings.Contains(op, " /v1/") }
	documented := slices.DeleteFunc(checker.Operations(func(string) bool { return true }), ofParts)
	routed := slices.DeleteFunc(newPlane(t).server.Operations(), ofParts)
	routed = slices.DeleteFunc(routed, func(op string) bool { return op == "GET /debug/pprof/" }) // the same without the slash
	slices.Sort(routed)
	if d := cmp.Diff(documented, routed); d != "" {
		t.Errorf("operations (-documented +routed):\n%s", d)
	}
}
