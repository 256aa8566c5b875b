//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// lab measures rows, one after the other.
type lab struct {
	bed         *testbed.Testbed
	binary      string // of popupd
	self        string // this program, for the client
	concurrency int
	advice      []setting
}

// stalled is how long a client may hang before its row says nothing. Searching
// ports for all its connections takes it half a second.
const stalled = 2 * time.Second

// errLeft says that a namespace could not be removed.
var errLeft = errors.New("a namespace is left")

// cores of server and client.
func cores() (server, client string) {
	if runtime.NumCPU() < 2 {
		return "0", "0"
	}
	return "0", "1"
}

// measure runs a row in namespaces of its own, which are gone when it returns.
// An error ends the lab; what only spoils the row is in its failure.
func (l *lab) measure(ctx context.Context, r row) (got result, err error) {
	got.row = r
	n, err := newNetwork()
	if err != nil {
		return result{}, err
	}
	defer func() {
		if e := n.remove(); e != nil {
			err = errors.Join(err, fmt.Errorf("%w: %w", errLeft, e))
		}
	}()
	if err := l.configure(ctx, n, &got); err != nil {
		if ctx.Err() != nil {
			return result{}, ctx.Err()
		}
		got.failure = err.Error()
		return got, nil
	}
	serverCores, clientCores := cores()
	popupd, err := l.bed.Popupd(testbed.PopupdOptions{Binary: l.binary, Cores: serverCores, Netns: n.server, Host: serverAddr})
	if err != nil {
		return result{}, err
	}
	defer popupd.Kill()
	address, err := netip.ParseAddrPort(popupd.Address)
	if err != nil {
		return result{}, err
	}
	todo := plan{Server: address, Closes: r.Closes, Concurrency: l.concurrency, Duration: r.Duration}
	if r.Closes == clientFirst {
		todo.Half = got.ports / 2
	}
	text, err := json.Marshal(todo)
	if err != nil {
		return result{}, err
	}
	before, err := popupd.CPU()
	if err != nil {
		return result{}, err
	}
	client, err := l.bed.Start(testbed.Program{
		Name: "client", Args: []string{l.self, clientMode, string(text)}, Cores: clientCores, Netns: n.client,
	})
	if err != nil {
		return result{}, err
	}
	defer client.Kill()
	if err := client.Wait(ctx); err != nil {
		return result{}, err
	}
	if err := json.Unmarshal([]byte(client.Log()), &got.run); err != nil {
		return result{}, fmt.Errorf("what the client says: %w\n%s", err, client.Log())
	}
	after, err := popupd.CPU()
	if err != nil {
		return result{}, err
	}
	got.cpu = after - before
	got.server, err = readCounters(popupd.Pid())
	return got, err
}

// configure applies the settings of a row to the namespaces.
func (l *lab) configure(ctx context.Context, n network, r *result) error {
	for _, s := range r.Client {
		if err := s.apply(n.client); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	for _, s := range r.Server {
		if err := s.apply(n.server); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if r.Doctor != "" {
		namespace := n.client
		if r.Doctor == serverFirst {
			namespace = n.server
		}
		settings := l.advice
		if r.File == "" {
			var err error
			if settings, err = l.ask(ctx, namespace); err != nil {
				return err
			}
		}
		for _, s := range settings {
			switch err := s.apply(namespace); {
			case errors.Is(err, errHost):
				r.skipped = append(r.skipped, s.String())
			case err != nil:
				return err
			default:
				r.applied = append(r.applied, s.String())
			}
		}
	}
	var err error
	r.ports, err = portRange(n.client)
	return err
}

// ask returns the sysctl file that popupd doctor prints in a namespace.
func (l *lab) ask(ctx context.Context, namespace string) ([]setting, error) {
	binary, err := testbed.LookPath("ip")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "netns", "exec", namespace, l.binary, "doctor", "-sysctl")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	// It exits with 1 when something of the host is critical, after printing.
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1 && len(out) > 0) {
		return nil, fmt.Errorf("popupd doctor -sysctl: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return parseSysctl(string(out))
}

// portRange is the number of ports that connections from a namespace may have.
func portRange(namespace string) (n int, err error) {
	err = testbed.InNetns(namespace, func() error {
		text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
		if err != nil {
			return err
		}
		var low, high int
		if _, err := fmt.Sscan(string(text), &low, &high); err != nil {
			return fmt.Errorf("ip_local_port_range %q: %w", strings.TrimSpace(string(text)), err)
		}
		n = high - low + 1
		return nil
	})
	return n, err
}
