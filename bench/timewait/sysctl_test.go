//go:build linux

package main

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSysctl(t *testing.T) {
	const text = `# What this host lacks.

; another comment
net.ipv4.ip_local_port_range = 1024	65000
net.ipv4.tcp_tw_reuse=1
  - kernel.sched_x = 7
vm.swappiness = 1 # not a comment there
`
	want := []setting{
		{"net.ipv4.ip_local_port_range", "1024 65000"},
		{"net.ipv4.tcp_tw_reuse", "1"},
		{"kernel.sched_x", "7"},
		{"vm.swappiness", "1 # not a comment there"},
	}
	got, err := parseSysctl(text)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, bad := range []string{"net.ipv4.tcp_tw_reuse", "= 1", "net.ipv4.tcp_tw_reuse =", "- = 1"} {
		if got, err := parseSysctl(bad); err == nil {
			t.Errorf("%q: %v without an error", bad, got)
		}
	}
}

func TestSettingPath(t *testing.T) {
	for key, want := range map[string]string{
		"net.ipv4.tcp_tw_reuse":   "/proc/sys/net/ipv4/tcp_tw_reuse",
		"net/ipv4/tcp_tw_reuse":   "/proc/sys/net/ipv4/tcp_tw_reuse",
		"net..ipv4":               "",
		".net":                    "",
		"net.ipv4.../../../x":     "",
		"net.ipv4.tcp_tw_reuse./": "",
	} {
		if got, err := (setting{key, "1"}).path(); got != want || (err == nil) != (want != "") {
			t.Errorf("path of %q = %q, %v; want %q", key, got, err, want)
		}
	}
}

func TestApply(t *testing.T) {
	needNamespaces(t)
	n, err := newNetwork()
	if err != nil {
		t.Fatal(err)
	}
	defer n.remove()
	// The lab's own settings; the host keeps what it has.
	for _, s := range []setting{ports, reuse, buckets, fin} {
		path, err := s.path()
		if err != nil {
			t.Fatal(err)
		}
		host, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.apply(n.client); err != nil { // it reads back
			t.Errorf("%s: %v", s, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != string(host) {
			t.Errorf("%s: the host had %q and has %q, %v", s, host, now, err)
		}
	}
	for _, s := range []setting{
		{"vm.swappiness", "60"},
		{"kernel.pid_max", "4194304"},
		{"net.core.netdev_max_backlog", "1000"}, // no namespace has its own
		{"net.ipv4.no_such_setting", "1"},
	} {
		if err := s.apply(n.client); !errors.Is(err, errHost) {
			t.Errorf("%s: %v, want %v", s, err, errHost)
		}
	}
	for _, s := range []setting{{"net.ipv4.tcp_tw_reuse", "one"}, {"net.ipv4.ip_local_port_range", "5 4"}, {"net..x", "1"}} {
		if err := s.apply(n.client); err == nil || errors.Is(err, errHost) {
			t.Errorf("%s: %v, want an error", s, err)
		}
	}
}
