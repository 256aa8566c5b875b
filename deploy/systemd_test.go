//go:build linux

package deploy

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/tuning"
)

// most is the exposure that systemd-analyze security may see in the unit, of 10. What is left of
// it are the network, the host's /proc, which popupd doctor reads, and prlimit64.
const most = 1.2

// unitsIn copies the units to where systemd-analyze reads them, beside a program that is there.
func unitsIn(t *testing.T) (dir string) {
	t.Helper()
	storetest.Need(t, "systemd-analyze", "systemd")
	dir = t.TempDir()
	program := filepath.Join(dir, "popupd")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"popupd.service", "popupd.socket", "popupd-admin.socket"} {
		text := strings.Replace(readFile(t, "systemd/"+name), "/usr/bin/popupd", program, 1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dropIn := filepath.Join(dir, "popupd.service.d")
	if err := os.Mkdir(dropIn, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dropIn, "secrets.conf"), []byte(readFile(t, "systemd/secrets.conf")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestUnitsVerify: systemd finds nothing to say about the units and their drop-in.
func TestUnitsVerify(t *testing.T) {
	dir := unitsIn(t)
	cmd := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "popupd.service", "popupd.socket", "popupd-admin.socket")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestUnitIsHardened: systemd-analyze security sees no more exposure than is known here.
func TestUnitIsHardened(t *testing.T) {
	dir := unitsIn(t)
	cmd := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", filepath.Join(dir, "popupd.service"))
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for popupd.service: (\d+\.\d)`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	if exposure, err := strconv.ParseFloat(string(found[1]), 64); err != nil || exposure > most {
		t.Errorf("exposure %s, want at most %v\n%s", found[1], most, out)
	}
}

// sysctl returns the settings of a sysctl.d file.
func sysctl(text string) map[string]string {
	settings := make(map[string]string)
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && !strings.HasPrefix(line, "#") {
			settings[key] = value
		}
	}
	return settings
}

// host is one with the given kernel parameters, as popupd doctor sees it.
func host(settings map[string]string) tuning.Site {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"proc/sys/kernel/osrelease": "6.1.0-28-amd64", "proc/swaps": "Filename Type\n/dev/sda2 partition\n", "proc/net/netstat": "TcpExt: ListenOverflows\nTcpExt: 0\n",
		"proc/net/sockstat": "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 1\n", "proc/net/softnet_stat": "00000000 00000000\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for key, value := range settings {
		files["proc/sys/"+strings.ReplaceAll(key, ".", "/")] = &fstest.MapFile{Data: []byte(value + "\n")}
	}
	return tuning.Site{Host: tuning.NewHost(fs.FS(files))}
}

// TestSysctl: the file is what popupd doctor -sysctl prints on a host that has everything
// otherwise, and on one that has the file it prints nothing.
func TestSysctl(t *testing.T) {
	printed := func(settings map[string]string) map[string]string {
		t.Helper()
		var b bytes.Buffer
		if err := tuning.Examine(host(settings)).WriteSysctl(&b); err != nil {
			t.Fatal(err)
		}
		return sysctl(b.String())
	}
	otherwise := map[string]string{
		"net.core.somaxconn": "128", "net.ipv4.tcp_syncookies": "0", "net.ipv4.tcp_max_syn_backlog": "128", "net.ipv4.ip_local_port_range": "32768\t60999",
		"net.ipv4.ip_local_reserved_ports": "", "net.ipv4.tcp_tw_reuse": "0", "net.ipv4.tcp_timestamps": "0", "vm.swappiness": "60",
	}
	file := sysctl(readFile(t, "sysctl.d/90-popupd.conf"))
	if diff := cmp.Diff(printed(otherwise), file); diff != "" {
		t.Errorf("doctor prints (-), the file has (+):\n%s", diff)
	}
	maps.Copy(otherwise, file)
	if left := printed(otherwise); len(left) > 0 {
		t.Errorf("a host that has the file lacks %v", left)
	}
}
