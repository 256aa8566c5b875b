//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
)

func TestParseSockstat(t *testing.T) {
	const text = "sockets: used 2\nTCP: inuse 3 orphan 1 tw 28232 alloc 130 mem 163\nUDP: inuse 5 mem 0\n"
	if got, err := parseSockstat(text); err != nil || got != (sockets{InUse: 3, TimeWait: 28232}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "sockets: used 2\n", "TCP: inuse 3\n", "TCP: inuse 3 tw\n", "TCP: inuse x tw 3\n", "UDP: inuse 3 tw 3\n"} {
		if got, err := parseSockstat(bad); err == nil {
			t.Errorf("%q: %+v without an error", bad, got)
		}
	}
}

func TestParseNetstat(t *testing.T) {
	const text = "TcpExt: SyncookiesSent TW TWRecycled\nTcpExt: 1 2 3\nIpExt: InNoRoutes TW\nIpExt: 4 -5\n"
	got, err := parseNetstat(text)
	if err != nil || len(got) != 5 || got["TcpExt.TWRecycled"] != 3 || got["TcpExt.TW"] != 2 || got["IpExt.TW"] != -5 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"TcpExt: TW\n", "TcpExt: TW\nTcpExt: 1 2\n", "TcpExt: TW\nIpExt: 1\n", "TcpExt: TW\nTcpExt: x\n", "TcpExt TW\nTcpExt 1\n"} {
		if got, err := parseNetstat(bad); err == nil {
			t.Errorf("%q: %v without an error", bad, got)
		}
	}
	if got, err := parseNetstat(""); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}

func TestReadCounters(t *testing.T) {
	if _, err := readCounters(os.Getpid()); err != nil {
		t.Error(err)
	}
	if _, err := readCounters(deadPid(t)); err == nil {
		t.Error("no error for a process that is gone")
	}
}

func FuzzParsers(f *testing.F) {
	f.Add("TCP: inuse 3 orphan 1 tw 28232 alloc 130 mem 163")
	f.Add("TcpExt: TW\nTcpExt: 1\n")
	f.Add("# comment\n-net.ipv4.tcp_tw_reuse = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		parseSockstat(text)
		parseNetstat(text)
		settings, err := parseSysctl(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, s := range settings {
			again.WriteString(s.Key + " = " + s.Value + "\n")
			if path, err := s.path(); err == nil && !strings.HasPrefix(path, "/proc/sys/") {
				t.Errorf("%q is %s", s.Key, path)
			}
		}
	})
}
