//go:build linux

package deploy

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var debFile = flag.String("deb", "", "the package that TestPackage installs, as make deb has built it")

// install is run in a copy of this host, which is thrown away.
const install = `set -e
dpkg -i /popupd.deb
popupd version
popupd -help >/help && grep -q admin-listen /help
test "$(stat -c %a /etc/default/popupd)" = 644
test ! -e /run/systemd/system || exit 9
echo POPUPD_DRAIN=7s >>/etc/default/popupd
dpkg -i /popupd.deb # an upgrade keeps what was changed
grep -q 7s /etc/default/popupd
dpkg -r popupd
test ! -e /usr/bin/popupd && test -e /etc/default/popupd
dpkg -P popupd
test ! -e /etc/default/popupd && test ! -e /usr/lib/systemd/system/popupd.service && test ! -e /etc/systemd/system/multi-user.target.wants/popupd.service
echo ALL DONE`

// TestPackage installs the package, runs what it has installed, removes and purges it, in a copy
// of this host without systemd.
func TestPackage(t *testing.T) {
	if *debFile == "" {
		t.Skip("no package is given: make deb")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make a copy of this host")
	}
	out, err := exec.Command("dpkg-deb", "--contents", *debFile).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, file := range []string{
		"-rwxr-xr-x root/root usr/bin/popupd", "popupd.service", "popupd.socket", "popupd-admin.socket", "90-popupd.conf", "popupd.8.gz", "copyright", "secrets.conf",
	} {
		for _, word := range strings.Fields(file) {
			if !strings.Contains(string(out), word) {
				t.Errorf("no %s in the package:\n%s", word, out)
			}
		}
	}
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for _, page := range append(pages, "../README.md", "../CHANGELOG.md", "../deploy/haproxy/haproxy.cfg", "../deploy/prometheus/alerts.yml") {
		if want := "./usr/share/doc/popupd/" + strings.TrimPrefix(page, "../") + "\n"; !strings.Contains(string(out), want) {
			t.Errorf("no %s in the package", want)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := `set -e
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cp "$1" root/popupd.deb
exec chroot root sh -c "$2"`
	cmd := exec.Command("unshare", "-m", "sh", "-c", script, "sh", *debFile, install)
	cmd.Dir = dir
	out, err = cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.HasSuffix(string(out), "ALL DONE\n") {
		t.Fatal(err)
	}
}
