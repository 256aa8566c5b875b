package tuning

import (
	"testing"
	"testing/fstest"
)

// hostOf returns a host with these files.
func hostOf(files map[string]string) Host {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return NewHost(root)
}

func TestCPUQuota(t *testing.T) {
	const (
		v1 = "33 31 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpuacct,cpu\n"
		v2 = mountsV2
	)
	for _, c := range []struct {
		name, mounts, group string
		files               map[string]string
		want                float64 // 0: none
		known               bool
	}{
		{"v2", v2, "0::/a\n", map[string]string{"a/cpu.max": "150000 100000\n"}, 1.5, true},
		{"v2 none", v2, "0::/a\n", map[string]string{"a/cpu.max": "max 100000\n"}, 0, true},
		{"v2 top of the host", v2, "0::/\n", nil, 0, true},
		{"v2 smaller above", v2, "0::/a/b\n", map[string]string{"a/b/cpu.max": "400000 100000", "a/cpu.max": "20000 10000"}, 2, true},
		{"v2 zero", v2, "0::/a\n", map[string]string{"a/cpu.max": "0 100000\n"}, 0, false},
		{"v2 no period", v2, "0::/a\n", map[string]string{"a/cpu.max": "100000 0\n"}, 0, false},
		{"v2 half", v2, "0::/a\n", map[string]string{"a/cpu.max": "100000\n"}, 0, false},
		{"v1", v1, "2:cpuacct,cpu:/\n", map[string]string{"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 0.5, true},
		{"v1 none", v1, "2:cpuacct,cpu:/\n", map[string]string{"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 0, true},
		{"v1 zero", v1, "2:cpuacct,cpu:/\n", map[string]string{"cpu/cpu.cfs_quota_us": "0", "cpu/cpu.cfs_period_us": "100000"}, 0, false},
		{"v1 smaller above", v1, "2:cpuacct,cpu:/x\n", map[string]string{"cpu/x/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3, true},
		{"not mounted", "22 27 0:21 / /proc rw - proc proc rw\n", "0::/\n", nil, 0, false},
	} {
		files := map[string]string{"proc/self/mountinfo": c.mounts, "proc/self/cgroup": c.group}
		for name, text := range c.files {
			files["sys/fs/cgroup/"+name] = text
		}
		got, _, err := hostOf(files).cpuQuota()
		if got != c.want || (err == nil) != c.known {
			t.Errorf("%s: got %v, %v, want %v, known %v", c.name, got, err, c.want, c.known)
		}
	}
}

func TestFileSystem(t *testing.T) {
	const mounts = `28 1 259:2 / / rw shared:1 - ext4 /dev/sda rw
40 28 0:40 / /data rw shared:2 - tmpfs tmpfs rw
41 28 0:41 / /net rw shared:3 - nfs4 host:/export rw,vers=4.2
42 28 0:42 / /net/local rw shared:4 - xfs /dev/sdb rw
43 28 0:43 / /over rw shared:5 - xfs /dev/sdc rw
44 28 0:44 / /over rw shared:6 - tmpfs tmpfs rw
45 28 0:45 / /fixed ro,relatime shared:7 - xfs /dev/sdd rw
46 28 0:46 / /user rw shared:8 - fuse.sshfs host: rw
47 28 0:47 / /odd rw shared:9 - newfs none rw
48 28 0:48 / /with\040space rw shared:10 - ramfs none rw
`
	for _, c := range []struct {
		dir  string
		want Status
	}{
		{"/var/lib", OK},
		{"/data", Critical},
		{"/data/popupd", Critical},
		{"/database", OK}, // is not below /data
		{"/net/x", Warn},
		{"/net/local/x", OK},
		{"/over/x", Critical}, // the last mount is what is seen
		{"/fixed", Critical},
		{"/user/x", Warn},
		{"/odd", Unknown},
		{"/with space/x", Critical},
		{"/data/../var", OK},
		{"relative", Unknown},
	} {
		s := Site{Host: hostOf(map[string]string{"proc/self/mountinfo": mounts}), Disk: Disk{Dir: c.dir}}
		if f := find(t, Examine(s), "data directory's file system"); f.Status != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.dir, f.Status, f.Found, c.want)
		}
	}
	s := Site{Host: hostOf(map[string]string{"proc/self/mountinfo": mounts}), Disk: Disk{Dir: "/var/lib", Journal: "/data"}}
	if f := find(t, Examine(s), "data directory's file system"); f.Status != Critical {
		t.Errorf("a journal elsewhere: got %s (%s), want critical", f.Status, f.Found)
	}
}

func TestPortRange(t *testing.T) {
	for _, c := range []struct {
		ports, reserved string
		want            Status
	}{
		{"32768\t60999\n", "\n", Warn},
		{"10240\t65535\n", "\n", OK},
		{"1024\t65535\n", "\n", Warn}, // may take a service's port
		{"1024\t65535\n", "3306,6379,8080-8081\n", OK},
		{"15000\t64999\n", "\n", OK},
		{"15001\t64999\n", "\n", Warn},
		{"65535\t10240\n", "\n", Unknown},
		{"-5\t70000\n", "\n", Unknown},
		{"10240\n", "\n", Unknown},
	} {
		s := Site{Host: hostOf(map[string]string{"proc/sys/net/ipv4/ip_local_port_range": c.ports, "proc/sys/net/ipv4/ip_local_reserved_ports": c.reserved})}
		if f := find(t, Examine(s), "net.ipv4.ip_local_port_range"); f.Status != c.want {
			t.Errorf("%q, reserved %q: got %s (%s), want %s", c.ports, c.reserved, f.Status, f.Found, c.want)
		}
	}
}

func TestSYNBacklog(t *testing.T) {
	for _, c := range []struct {
		kernel, backlog, cookies string
		want                     Status
	}{
		{"6.1.0", "128", "1", OK}, // no longer counts
		{"4.4.0", "128", "1", OK},
		{"4.3.9", "128", "1", Warn},
		{"3.10.0-1160.el7", "8192", "1", OK},
		{"6.1.0", "8192", "0", Warn},
		{"6.1.0", "8192", "2", Warn},
		{"garbage", "8192", "1", Unknown},
	} {
		s := Site{Host: hostOf(map[string]string{
			"proc/sys/kernel/osrelease": c.kernel, "proc/sys/net/ipv4/tcp_max_syn_backlog": c.backlog, "proc/sys/net/ipv4/tcp_syncookies": c.cookies,
		})}
		if f := find(t, Examine(s), "net.ipv4.tcp_max_syn_backlog"); f.Status != c.want {
			t.Errorf("Linux %s, %s, cookies %s: got %s (%s), want %s", c.kernel, c.backlog, c.cookies, f.Status, f.Found, c.want)
		}
	}
}

func TestMySQLVersion(t *testing.T) {
	for _, c := range []struct {
		version, comment string
		want             Status
	}{
		{"5.7.44-log", "MySQL Community Server (GPL)", OK},
		{"5.6.24", "MySQL Community Server (GPL)", OK},
		{"5.5.62", "", Warn},
		{"8.4.3", "", OK},
		{"10.11.6-MariaDB-0+deb12u1", "Debian 12", OK},
		{"5.5.5-10.11.6-MariaDB", "", OK},
		{"10.6.18-MariaDB", "", Warn},
		{"11.4.2-log", "MariaDB Server", OK},
		{"8.0.11-TiDB-v7.5.0", "TiDB Server", OK},
		{"8.0.30-Vitess", "", OK},
		{"new", "", Unknown},
	} {
		s := Site{MySQL: []MySQL{{Global: map[string]string{"version": c.version, "version_comment": c.comment}}}, Host: hostOf(nil)}
		if f := find(t, Examine(s), "mysql version"); f.Status != c.want {
			t.Errorf("%s %s: got %s, want %s", c.version, c.comment, f.Status, c.want)
		}
	}
}
