package testbed

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// serveOne makes a popup, shows it to a user and waits until that is counted.
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
	if served, err := p.Metric(t.Context(), "decisions_total"); err != nil || served != 1 {
		t.Errorf("decisions: %v, %v; want 1", served, err)
	}
	if err := p.Drained(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPopupdWithEmbeddedStores(t *testing.T) {
	if testing.Short() {
		t.Skip("builds popupd")
	}
	r := newTestbed(t)
	p, err := r.Popupd(Options{Cores: "0", Flags: []string{"-min-gap", "1s"}})
	if err != nil {
		t.Fatal(err)
	}
	serveOne(t, p)
	if err := p.Create(t.Context(), `{"key":"hello"}`); err == nil || !strings.Contains(err.Error(), "status 409") {
		t.Errorf("a second popup of the same key: %v", err)
	}
	if _, err := p.Metric(t.Context(), "decisions"); err == nil {
		t.Error("a metric that does not exist has a value")
	}
	p.Stop()
	if err := p.Drained(t.Context()); err == nil {
		t.Error("a popupd that has ended is drained")
	}
	if _, err := r.Popupd(Options{Flags: []string{"-nonsense"}}); err == nil || !strings.Contains(err.Error(), "-nonsense") {
		t.Errorf("an unknown flag: %v", err)
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

func TestNeedSaysHowToGetIt(t *testing.T) {
	if err := Need("sh", "dash"); err != nil {
		t.Error(err)
	}
	want := "no-such-binary is not installed; install it: apt-get install such-package"
	if err := Need("no-such-binary", "such-package"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
