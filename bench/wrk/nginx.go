package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// nginxConf is one worker that does nothing but answer, with the time limits of
// popupd. There is no master process: nothing would end the worker of a master
// that is killed.
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

// startNginx starts nginx on a free port.
func (b *bench) startNginx(ctx context.Context, answers []answer) (*contestant, error) {
	dir, err := os.MkdirTemp(b.Dir(), "nginx-")
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := ln.Addr().String()
	ln.Close()
	rules, err := nginxRules(answers)
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, address, rules), 0o600); err != nil {
		return nil, err
	}
	p, err := b.Start(testbed.Program{
		Name: "nginx", Args: []string{nginxBinary, "-p", dir, "-e", "stderr", "-c", conf}, Cores: serverCore,
	})
	if err != nil {
		return nil, err
	}
	c := &contestant{Process: p, address: address}
	return c, c.awaitListening(ctx)
}

// nginxBinary is found in the PATH or where distributions put servers.
const nginxBinary = "nginx"

// awaitListening waits until the server takes connections: nginx does not say when.
func (c *contestant) awaitListening(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-c.Exited():
			return errors.New("nginx ended while starting:\n" + c.Log())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nginxRules are the directives that give the answers. A single one needs no
// look at the path.
func nginxRules(answers []answer) (string, error) {
	var b strings.Builder
	for _, a := range answers {
		if len(answers) > 1 {
			fmt.Fprintf(&b, "    location = %s {\n", a.Path)
		}
		for _, h := range a.Headers {
			directive := "add_header " + h[0]
			if h[0] == "Content-Type" {
				directive = "default_type"
			}
			value, err := nginxQuote(h[1])
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "    %s %s", directive, value)
			if directive != "default_type" {
				b.WriteString(" always") // add_header knows no 202 by itself
			}
			b.WriteString(";\n")
		}
		body, err := nginxQuote(a.Body)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "    return %d %s;\n", a.Status, body)
		if len(answers) > 1 {
			b.WriteString("    }\n")
		}
	}
	return b.String(), nil
}

func nginxQuote(s string) (string, error) {
	if strings.ContainsAny(s, `'$\`) {
		return "", fmt.Errorf("nginx would not repeat %q", s)
	}
	return "'" + s + "'", nil
}
