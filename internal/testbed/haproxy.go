package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// haproxyConf is that of docs/operations.md: it hashes on the user, and looks at /readyz
// of the data plane. A request whose connection is refused goes to another server, and
// actions that were not answered, too.
const haproxyConf = `global
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 10s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
listen popupd
  bind %s
  balance url_param uid
  hash-type consistent
  http-request disable-l7-retry unless { path /v1/actions }
  option httpchk GET /readyz
  default-server check inter %dms fall 2 rise 2
%s`

// HAProxy is a private HAProxy.
type HAProxy struct {
	*Process
	Addr string // host:port
}

// HAProxy starts a HAProxy before the data planes of popupds, and checks each of them
// once in so long. The error is a [*MissingError] where there is none.
func (b *Testbed) HAProxy(servers []string, check time.Duration) (*HAProxy, error) {
	if err := Need("haproxy", "haproxy"); err != nil {
		return nil, err
	}
	var lines strings.Builder
	for i, address := range servers {
		fmt.Fprintf(&lines, "  server s%d %s\n", i, address)
	}
	dir := b.newDir("haproxy")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "haproxy.cfg")
	var s HAProxy
	var written, err error
	s.Process, s.Addr, err = b.startOnFreePort(func(addr string, _ int) Program {
		written = os.WriteFile(conf, fmt.Appendf(nil, haproxyConf, addr, check.Milliseconds(), lines.String()), 0o600)
		return Program{
			Name: "haproxy", Args: []string{"haproxy", "-db", "-f", conf}, // -db: no master, no daemon
			Probe: func() error { return accepts(addr) },
		}
	})
	if written != nil {
		return nil, written
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}
