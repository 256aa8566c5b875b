//go:build unix

package testbed

import (
	"net/http"
	"strings"
	"testing"
)

// serveOne makes a popup, shows it to a user and waits until that is in the
// database.
func serveOne(t *testing.T, p *Popupd) {
	t.Helper()
	if err := p.Create(t.Context(), `{"key":"hello","status":"active","variants":[{"key":"a","content":{"title":"Hello"}}]}`); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + p.Address + "/v1/poll?uid=u")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("poll: %s", resp.Status)
	}
	if served, err := p.Metric(t.Context(), "popupd_decisions_total"); err != nil || served != 1 {
		t.Errorf("decisions: %v, %v; want 1", served, err)
	}
	if err := p.Drained(t.Context()); err != nil {
		t.Error(err)
	}
}

// build compiles popupd without the profile, with which every package would be compiled
// once more.
func build(t *testing.T, b *Testbed) (binary string) {
	t.Helper()
	binary, err := b.Build(".", ".", "-pgo=off")
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func TestPopupdWithEmbeddedStores(t *testing.T) {
	if testing.Short() {
		t.Skip("builds popupd")
	}
	b := newTestbed(t)
	binary := build(t, b)
	p, err := b.Popupd(PopupdOptions{Binary: binary, Cores: "0", Flags: []string{"-min-gap", "1s"}})
	if err != nil {
		t.Fatal(err)
	}
	serveOne(t, p)
	if err := p.Create(t.Context(), `{"key":"hello"}`); err == nil || !strings.Contains(err.Error(), "status 409") {
		t.Errorf("a second popup of the same key: %v", err)
	}
	if _, err := p.Metric(t.Context(), "popupd_decisions"); err == nil {
		t.Error("a metric that does not exist has a value")
	}
	address, admin := p.Address, p.Admin
	p.Flags = append(p.Flags, "-min-gap", "2s")
	if err := p.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := p.WaitReady(t.Context()); err != nil || p.Address != address || p.Admin != admin {
		t.Errorf("started again at %s, %s: %v; want %s, %s", p.Address, p.Admin, err, address, admin)
	}
	p.Kill()
	if err := p.Drained(t.Context()); err == nil {
		t.Error("a popupd that has ended is drained")
	}
	if _, err := b.Popupd(PopupdOptions{Binary: binary, Flags: []string{"-nonsense"}}); err == nil || !strings.Contains(err.Error(), "-nonsense") {
		t.Errorf("an unknown flag: %v", err)
	}
}

func TestPopupdWithStores(t *testing.T) {
	if testing.Short() {
		t.Skip("builds popupd")
	}
	b := newTestbed(t)
	mysql, err := b.MySQL(StoreOptions{})
	installed(t, err)
	redis, err := b.Redis(StoreOptions{})
	installed(t, err)
	dsn, err := mysql.CreateDatabase("popupd")
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Popupd(PopupdOptions{Binary: build(t, b), MySQL: dsn, Redis: redis.URL()})
	if err != nil {
		t.Fatal(err)
	}
	serveOne(t, p)
	if got, err := mysql.Query("SELECT COUNT(*) FROM popupd.event"); got != "1" || err != nil {
		t.Errorf("events after Drained: %s, %v; want 1", got, err)
	}
}

func TestSumSamples(t *testing.T) {
	text := []byte("# HELP popupd_a x\n# TYPE popupd_a counter\npopupd_a{outcome=\"x y\"} 1\npopupd_a{outcome=\"z\"} 2.5e+01\npopupd_ab 7\npopupd_b 3\n")
	for name, want := range map[string]float64{"popupd_a": 26, "popupd_ab": 7, "popupd_b": 3} {
		if got, err := sumSamples(text, name); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	got := Environment("go run ./bench/x -rounds 1", "nginx 1", "")
	for _, want := range []string{"- machine: ", " cores, ", "- kernel: ", "go1.", "- nginx 1\n", "- command: `go run ./bench/x -rounds 1`\n", "- date: 20"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "- \n") {
		t.Errorf("an empty version in\n%s", got)
	}
}
