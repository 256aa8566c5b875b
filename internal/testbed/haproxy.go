package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// haproxyConf hashes on the user, as docs/operations.md tells, and looks at /readyz of
// the data plane. A connection that is refused goes to another server.
const haproxyConf = `global
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 10s
  retries 3
  option redispatch 1
listen popupd
  bind %s
  balance url_param uid
  hash-type consistent
  option httpchk GET /readyz
  default-server check inter 100ms fall 2 rise 2
%s`

// HAProxy is a private HAProxy.
type HAProxy struct {
	*Process
	Addr string // host:port
}

// HAProxy starts a HAProxy before the data planes of popupds. The error is a
// [*MissingError] where there is none.
func (b *Testbed) HAProxy(servers []string) (*HAProxy, error) {
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
		written = os.WriteFile(conf, fmt.Appendf(nil, haproxyConf, addr, lines.String()), 0o600)
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
