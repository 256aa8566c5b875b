package deploy

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/cli"
)

// TestSeveralServers: what the settings of a server behind a balancer are in the package is what
// docs/operations.md says, and what popupd takes, and the files for balancers and Prometheus look
// for it there.
func TestSeveralServers(t *testing.T) {
	settings := regexp.MustCompile(`(?m)^#?(POPUPD_\w+=[^\s#]+)`)
	var environ []string
	value := map[string]string{}
	for _, match := range settings.FindAllStringSubmatch(readFile(t, "deb/default"), -1) {
		environ = append(environ, match[1])
		name, text, _ := strings.Cut(match[1], "=")
		value[name] = text
	}
	c, err := cli.ParseServe(nil, environ, io.Discard)
	if err != nil || len(c.TrustedProxies) != 2 {
		t.Fatalf("%q: %v, trusted proxies %v", environ, err, c.TrustedProxies)
	}
	page := readFile(t, "../docs/operations.md")
	for _, name := range []string{"POPUPD_LISTEN", "POPUPD_ADMIN_LISTEN", "POPUPD_TRUSTED_PROXIES"} {
		if line := name + "=" + value[name]; value[name] == "" || !strings.Contains(page, "\n"+line+"\n") { // a comment behind it would be a part of it
			t.Errorf("docs/operations.md has no line %q", line)
		}
	}
	host, port, _ := strings.Cut(c.Listen, ":")
	for path, want := range map[string]string{
		"haproxy/haproxy.cfg": " " + c.Listen + " ", "nginx/popupd.conf": " " + c.Listen + " ",
		"envoy/envoy.yaml":          "{address: " + host + ", port_value: " + port + "}",
		"prometheus/prometheus.yml": `"` + c.AdminListen + `"`,
	} {
		if !strings.Contains(readFile(t, path), want) {
			t.Errorf("%s does not name %s", path, want)
		}
	}
}
