package testbed

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// nginxConf is one worker, with the time limits of popupd. There is no master
// process: nothing would end the worker of a master that is killed.
const nginxConf = `daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  types {}
  default_type '';
  server_tokens off;
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  client_header_timeout 5s;
  client_body_timeout 5s;
  send_timeout 5s;
  client_header_buffer_size 8k;
  client_max_body_size 64k;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  server {
    listen %[2]s backlog=65535;
%[3]s  }
}
`

// Nginx is a private nginx.
type Nginx struct {
	*Process
	Addr string // host:port
}

// Nginx starts an nginx whose only server has the given directives. The error is
// a [*MissingError] where there is none.
func (b *Testbed) Nginx(directives string, o StoreOptions) (*Nginx, error) {
	if err := Need("nginx", "nginx"); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		o.Dir = b.newDir("nginx")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	conf := filepath.Join(o.Dir, "nginx.conf")
	var s Nginx
	var written, err error
	s.Process, s.Addr, err = b.startOnFreePort(func(addr string, _ int) Program {
		written = os.WriteFile(conf, fmt.Appendf(nil, nginxConf, o.Dir, addr, directives), 0o600)
		return Program{
			Name: "nginx", Args: append([]string{"nginx", "-p", o.Dir, "-e", "stderr", "-c", conf}, o.Args...), Dir: o.Dir, Cores: o.Cores,
			Probe: func() error { return accepts(addr) }, // nginx does not say when
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

// accepts reports whether somebody takes connections at an address.
func accepts(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
