//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/internal/testbed"
)

const (
	// Names are prefix, pid of the lab, side: what a killed lab left is found
	// by them.
	prefix = "popupd-tw-"

	// TEST-NET-1 of RFC 5737; nothing outside of the namespaces sees it.
	clientAddr = "192.0.2.1"
	serverAddr = "192.0.2.2"
)

// network is two network namespaces joined by a veth pair.
type network struct {
	client, server string // names of the namespaces
}

// newNetwork makes both namespaces. On an error nothing of them is left.
func newNetwork() (network, error) {
	n := network{fmt.Sprint(prefix, os.Getpid(), "-client"), fmt.Sprint(prefix, os.Getpid(), "-server")}
	for _, command := range [][]string{
		{"netns", "add", n.client},
		{"netns", "add", n.server},
		// Made where they belong, the devices have no names on the host.
		{"link", "add", "veth0", "netns", n.client, "type", "veth", "peer", "name", "veth0", "netns", n.server},
		{"-n", n.client, "address", "add", clientAddr + "/30", "dev", "veth0"},
		{"-n", n.server, "address", "add", serverAddr + "/30", "dev", "veth0"},
		{"-n", n.client, "link", "set", "veth0", "up"},
		{"-n", n.server, "link", "set", "veth0", "up"},
		{"-n", n.client, "link", "set", "lo", "up"},
		{"-n", n.server, "link", "set", "lo", "up"},
	} {
		if _, err := ip(command...); err != nil {
			return network{}, errors.Join(err, n.remove())
		}
	}
	return n, nil
}

// remove ends what still runs in the namespaces and removes them; the veth pair
// goes with them.
func (n network) remove() error {
	return errors.Join(removeNamespace(n.client), removeNamespace(n.server))
}

func removeNamespace(name string) error {
	if _, err := os.Lstat(filepath.Join(testbed.NetnsDir, name)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	// A namespace lives as long as a process in it. One that cannot be asked
	// has none: it was killed while it was being made.
	if out, err := ip("netns", "pids", name); err == nil {
		for field := range strings.FieldsSeq(out) {
			if pid, err := strconv.Atoi(field); err == nil && pid != os.Getpid() {
				unix.Kill(pid, unix.SIGKILL)
			}
		}
	}
	_, err := ip("netns", "delete", name)
	return err
}

// sweep removes the namespaces of labs that were killed before they could, and
// returns their names.
func sweep() ([]string, error) {
	entries, err := os.ReadDir(testbed.NetnsDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for namespaces of killed runs: %w", err)
	}
	var swept []string
	for _, entry := range entries {
		pid, ok := owner(entry.Name())
		if !ok || alive(pid) {
			continue
		}
		if err := removeNamespace(entry.Name()); err != nil {
			return swept, err
		}
		swept = append(swept, entry.Name())
	}
	return swept, nil
}

// owner returns the pid of the lab that made a namespace.
func owner(name string) (pid int, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	digits, side, ok := strings.Cut(rest, "-")
	if !ok || side != "client" && side != "server" {
		return 0, false
	}
	pid, err := strconv.Atoi(digits)
	return pid, err == nil && pid > 0
}

// alive reports whether pid is a lab: pids are used again.
func alive(pid int) bool {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err == nil && bytes.HasPrefix(comm, []byte("timewait"))
}

// ip runs ip(8) and returns what it prints. It takes milliseconds, and half of
// its work would be worse than all: it is not interrupted.
func ip(args ...string) (string, error) {
	binary, err := testbed.LookPath("ip") // /usr/sbin may not be in the PATH
	if err != nil {
		return "", err
	}
	cmd := exec.Command(binary, args...)
	// Of its own, so that Ctrl-C on the terminal does not reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), nil
}
