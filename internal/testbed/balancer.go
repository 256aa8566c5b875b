package testbed

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// BalancerOptions of a HAProxy or an nginx before popupds.
type BalancerOptions struct {
	Program string // haproxy or nginx
	// Servers are the data planes, host:port. "" stands for one that is not there: the
	// others keep their places on the ring.
	Servers []string
	Check   time.Duration // how often HAProxy looks at /readyz; 0: as often as its file says
}

// Balancer is a private HAProxy or nginx. It runs the file of deploy with only the
// addresses and paths changed, see [Testbed.Balancer].
type Balancer struct {
	*Process
	HTTP, HTTPS string         // host:port of its two listeners
	Roots       *x509.CertPool // what clients trust
	Conf        string         // path of the configuration

	options BalancerOptions
	root    string // of this repository
	dir     string
}

// variant returns the file of deploy, pairs of what has to be another on this machine and
// what it is here, and the command line.
func (p *Balancer) variant() (file string, changes, args []string) {
	if p.options.Program == "nginx" {
		changes = []string{
			"listen 80 ", "listen " + p.HTTP + " ",
			"listen 443 ", "listen " + p.HTTPS + " ",
			"/run/", p.dir + "/",
			"/etc/nginx/", p.dir + "/",
			"http {\n", "http {\n  client_body_temp_path " + p.dir + "/body;\n  proxy_temp_path " + p.dir + "/proxy;\n",
		}
		// Its workers read files of this user.
		return "deploy/nginx/popupd.conf", changes, []string{"nginx", "-e", "stderr", "-g", "daemon off; user root;", "-c", p.Conf}
	}
	changes = []string{
		"bind :80\n", "bind " + p.HTTP + "\n",
		"bind :443 ", "bind " + p.HTTPS + " ",
		"/run/haproxy/", p.dir + "/",
		"/etc/haproxy/", p.dir + "/",
	}
	if p.options.Check > 0 {
		changes = append(changes, "inter 500ms", fmt.Sprintf("inter %dms", p.options.Check.Milliseconds()))
	}
	if os.Geteuid() != 0 { // only root may become another
		changes = append(changes, "  user haproxy\n  group haproxy\n", "")
	}
	return "deploy/haproxy/haproxy.cfg", changes, []string{"haproxy", "-W", "-f", p.Conf}
}

// Balancer starts a HAProxy or an nginx with the file that deploy has for it, of which
// only addresses, paths and the times of checks are changed. The error is a
// [*MissingError] where there is none.
func (b *Testbed) Balancer(o BalancerOptions) (*Balancer, error) {
	if err := Need(o.Program, o.Program); err != nil {
		return nil, err
	}
	root, err := b.root()
	if err != nil {
		return nil, err
	}
	dir := b.newDir(o.Program)
	p := &Balancer{Roots: x509.NewCertPool(), Conf: filepath.Join(dir, o.Program+".conf"), options: o, root: root, dir: dir}
	if err := p.makeCertificates(); err != nil {
		return nil, err
	}
	var failed error
	p.Process, p.HTTPS, err = b.startOnFreePort(func(addr string, _ int) Program {
		p.HTTPS = addr
		p.HTTP, _, failed = freeAddr()
		failed = errors.Join(failed, p.write(o.Servers))
		_, _, args := p.variant()
		return Program{
			Name: o.Program, Args: args, KilledBy: syscall.SIGTERM, // it ends its workers then
			Probe: func() error { return errors.Join(accepts(p.HTTP), accepts(p.HTTPS)) },
		}
	})
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	return p, nil
}

// makeCertificates writes a certificate of 127.0.0.1 under the names that the files of
// deploy have for it.
func (p *Balancer) makeCertificates() error {
	certFile, keyFile, err := makeCertificate(p.dir)
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	p.Roots.AppendCertsFromPEM(cert)
	for name, text := range map[string][]byte{"popupd.pem": append(cert, key...), "popupd.crt": cert, "popupd.key": key} {
		if err := os.WriteFile(filepath.Join(p.dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Reload has the balancer go over to other servers. It does so while it serves, and
// this does not wait.
func (p *Balancer) Reload(servers []string) error {
	if err := p.write(servers); err != nil {
		return err
	}
	reload := syscall.SIGHUP
	if p.options.Program == "haproxy" {
		reload = sigUSR2
	}
	return p.Signal(reload)
}

// write writes the configuration with the servers.
func (p *Balancer) write(servers []string) error {
	file, changes, _ := p.variant()
	text, err := os.ReadFile(filepath.Join(p.root, file))
	if err != nil {
		return err
	}
	conf := string(text)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(conf, changes[i]) {
			return fmt.Errorf("%s has no %q", file, changes[i])
		}
		conf = strings.ReplaceAll(conf, changes[i], changes[i+1])
	}
	if conf, err = withServers(conf, servers); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(p.Conf, []byte(conf), 0o600)
}

// withServers returns a configuration with these servers in the place of the example's,
// each in a line like that of the first one.
func withServers(conf string, servers []string) (string, error) {
	const first, others = "10.0.0.11:8080", "10.0.0.1"
	var filled strings.Builder
	found := 0
	for line := range strings.Lines(conf) {
		switch {
		case strings.Contains(line, first):
			found++
			for i, address := range servers {
				if n := fmt.Sprint(i + 1); address != "" {
					filled.WriteString(strings.NewReplacer(first, address, " s1 ", " s"+n+" ", " id 1", " id "+n).Replace(line))
				}
			}
		case !strings.Contains(line, others):
			filled.WriteString(line)
		}
	}
	if found != 1 {
		return "", fmt.Errorf("%d servers have the address %s, want 1", found, first)
	}
	return filled.String(), nil
}
