package tuning

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// site returns a site with the host of testdata/NAME.
func site(name string) Site {
	s := Site{
		Host:    NewHost(os.DirFS(filepath.Join("testdata", name))),
		Process: Process{CPUs: 8, MaxProcs: 8, StateMax: 1 << 30},
		Disk:    Disk{Dir: "/var/lib/popupd", Free: 400 << 30, JournalMax: 1 << 30, StateMax: 1 << 30},
		Servers: 2,
	}
	switch name {
	case "tuned":
		s.Process.MaxProcs = 4
		s.MySQL = []MySQL{{
			Connections: 18,
			Global: map[string]string{
				"version": "8.0.41", "innodb_flush_log_at_trx_commit": "1", "log_bin": "ON", "sync_binlog": "1", "read_only": "OFF",
				"sql_mode": "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", "max_connections": "151", "max_user_connections": "0", "max_allowed_packet": "67108864",
			},
			Session: map[string]string{"sql_mode": "STRICT_ALL_TABLES"},
			Privileges: Privileges{
				User: "popupd@10.0.0.%", Database: "popupd", HasSchema: true,
				Grants: []string{"GRANT USAGE ON *.* TO `popupd`@`10.0.0.%`", "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `popupd`.* TO `popupd`@`10.0.0.%`"},
			},
		}}
		s.Redis = []Redis{{
			Address: "10.0.0.6:6379", Config: map[string]string{"save": ""},
			Info: ParseInfo("# Server\r\nredis_version:7.2.5\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory:536870912\r\nused_memory:1048576\r\nmaxmemory_policy:noeviction\r\naof_enabled:0\r\nrdb_last_bgsave_status:ok\r\n"),
		}}
	case "container":
		s.Process = Process{CPUs: 4, MaxProcs: 4, MaxProcsBy: "4", MemLimit: 530 << 20, StateMax: 1 << 30}
		s.Disk.Free, s.Disk.Used = 2<<30, 100<<20
		s.MySQL = []MySQL{{Err: errors.New("dial tcp 10.0.0.5:3306: connect: connection refused")}}
		s.Redis = []Redis{{Address: "10.0.0.6:6379", Err: errors.New("dial tcp 10.0.0.6:6379: i/o timeout")}}
	case "cgroup1":
		s.Process = Process{CPUs: 4, MaxProcs: 4, MemLimit: 800 << 20, StateMax: 1 << 30}
		s.Disk.Dir = "/data/popupd"
		s.Redis = []Redis{
			{Address: "a:6379", Cluster: true, Info: ParseInfo("redis_version:7.2.4\nvalkey_version:8.0.1\nredis_mode:cluster\nrole:master\nmaxmemory:0\nused_memory:2048\nmaxmemory_policy:allkeys-lru\naof_enabled:1\nrdb_last_bgsave_status:err\n")},
			{Address: "b:6379", Cluster: true, Err: errors.New("NOAUTH Authentication required.")},
		}
	case "old":
		s.Process.CPUs, s.Process.MaxProcs = 2, 2
		s.Disk = Disk{Dir: "/tmp/popupd", Free: 12 << 20, JournalMax: 1 << 30, StateMax: 1 << 30}
		s.Servers = 8
		s.MySQL = []MySQL{{
			Connections: 18,
			Global: map[string]string{
				"version": "5.5.5-10.1.48-MariaDB", "innodb_flush_log_at_trx_commit": "2", "log_bin": "ON", "sync_binlog": "0", "read_only": "ON",
				"sql_mode": "", "max_connections": "151", "max_user_connections": "100", "max_allowed_packet": "1048576",
			},
			Session:    map[string]string{"sql_mode": ""},
			Privileges: Privileges{User: "popupd@%", Database: "popupd", Grants: []string{"GRANT SELECT ON `popupd`.* TO `popupd`@`%`"}},
		}}
		s.Redis = []Redis{{
			Address: "127.0.0.1:6379", Config: map[string]string{"save": "3600 1 300 100 60 10000"},
			Info: ParseInfo("redis_version:5.0.14\nredis_mode:cluster\nrole:slave\nmaxmemory:67108864\nused_memory:66108864\nmaxmemory_policy:volatile-lru\naof_enabled:1\n"),
		}}
	case "empty":
		s.MySQL, s.Redis = []MySQL{{}}, []Redis{{}}
	}
	return s
}

func hosts() []string { return []string{"debian", "tuned", "container", "cgroup1", "old", "empty"} }

func TestGolden(t *testing.T) {
	for _, host := range hosts() {
		r := Examine(site(host))
		for _, golden := range []struct {
			name  string
			write func(b *bytes.Buffer) error
		}{
			{"table.txt", func(b *bytes.Buffer) error { return r.WriteTable(b, 110) }},
			{"report.json", func(b *bytes.Buffer) error { return r.WriteJSON(b) }},
			{"sysctl.conf", func(b *bytes.Buffer) error { return r.WriteSysctl(b) }},
		} {
			var got bytes.Buffer
			if err := golden.write(&got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", host, golden.name)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got, go test -update to accept):\n%s", path, diff)
			}
		}
	}
}

func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		host, check string
		want        Status
	}{
		{"debian", "net.core.somaxconn", OK},
		{"debian", "net.ipv4.ip_local_port_range", Warn},
		{"debian", "net.ipv4.tcp_tw_reuse", Warn},
		{"debian", "net.ipv4.tcp_tw_recycle", OK},
		{"debian", "transparent huge pages", OK},
		{"debian", "swap", Warn},
		{"tuned", "swap", OK},
		{"tuned", "CPU quota and GOMAXPROCS", OK},
		{"container", "memory", Critical},
		{"container", "GOMEMLIMIT", Warn},
		{"container", "CPU quota and GOMAXPROCS", Warn},
		{"container", "open files, hard limit", Warn},
		{"container", "TIME_WAIT sockets", Warn},
		{"container", "packets dropped before TCP", Warn},
		{"container", "transparent huge pages", Warn},
		{"container", "swap", OK},
		{"container", "data directory's file system", Warn},
		{"container", "mysql", Critical},
		{"container", "redis", Critical},
		{"cgroup1", "memory", OK},
		{"cgroup1", "CPU quota and GOMAXPROCS", Warn},
		{"cgroup1", "GOMEMLIMIT", OK},
		{"cgroup1", "data directory's file system", Warn},
		{"cgroup1", "net.ipv4.ip_local_port_range", Warn},
		{"cgroup1", "redis a:6379 maxmemory-policy", Warn},
		{"old", "net.ipv4.tcp_tw_recycle", Critical},
		{"old", "net.ipv4.tcp_fin_timeout", OK},
		{"old", "net.ipv4.tcp_max_syn_backlog", Warn},
		{"old", "listen overflows", Warn},
		{"old", "connection tracking", Critical},
		{"old", "clock source", Warn},
		{"old", "data directory's free space", Critical},
		{"old", "mysql innodb_flush_log_at_trx_commit", Critical},
		{"old", "mysql sync_binlog", Critical},
		{"old", "mysql max_connections", Critical},
		{"old", "redis version", Critical},
		{"empty", "net.ipv4.tcp_tw_recycle", Unknown},
		{"empty", "connection tracking", Unknown},
	} {
		f := find(t, Examine(site(c.host)), c.check)
		if f.Status != c.want {
			t.Errorf("%s, %s: got %s (found %s), want %s", c.host, c.check, f.Status, f.Found, c.want)
		}
	}
	if r := Examine(site("tuned")); r.Findings[0].Status != OK || r.Critical() {
		t.Errorf("tuned host: got %+v, want nothing but ok", r.Findings[0])
	}
	if !Examine(site("old")).Critical() {
		t.Error("old host: not critical")
	}
}

func find(t *testing.T, r Report, check string) Finding {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Check == check })
	if i < 0 {
		t.Fatalf("no finding %q", check)
	}
	return r.Findings[i]
}

// TestEmptyHost: of a host that says nothing, nothing is known.
func TestEmptyHost(t *testing.T) {
	s := site("debian")
	s.Host = NewHost(fstest.MapFS{})
	for _, f := range Examine(s).Findings {
		known := f.Check == "data directory's free space" || f.Check == "data directory's access" // which are asked from the kernel, not read
		if (f.Status == Unknown) == known && f.Check != "GOMEMLIMIT" {
			t.Errorf("%s: %s, found %q", f.Check, f.Status, f.Found)
		}
	}
}

// TestDamagedHost takes, cuts and garbles each file of each host in turn: the
// other checks find the same as before, and what needs the file is not known.
func TestDamagedHost(t *testing.T) {
	garbage := []byte("\x00\xff[[ -:%d\n\x1b[31m 99999999999999999999\n::: - -\n")
	for _, host := range hosts() {
		s := site(host)
		whole := load(t, filepath.Join("testdata", host))
		s.Host = NewHost(whole)
		before := Examine(s)
		for name, file := range whole {
			for kind, data := range map[string][]byte{"removed": nil, "empty": {}, "cut": file.Data[:len(file.Data)/2], "garbage": garbage} {
				damaged := maps.Clone(whole)
				if damaged[name] = (&fstest.MapFile{Data: data}); data == nil {
					delete(damaged, name)
				}
				s.Host = NewHost(damaged)
				r := Examine(s)
				if len(r.Findings) != len(before.Findings) {
					t.Fatalf("%s: %s %s: %d findings, want %d", host, name, kind, len(r.Findings), len(before.Findings))
				}
				if err := sound(r); err != nil {
					t.Errorf("%s: %s %s: %v", host, name, kind, err)
				}
				if check := needs[name]; check != "" && kind == "garbage" && find(t, r, check).Status != Unknown {
					t.Errorf("%s: %s %s: %s is %+v, want unknown", host, name, kind, check, find(t, r, check))
				}
			}
		}
	}
}

// needs says which check cannot do without a file.
var needs = map[string]string{
	"proc/self/limits":                                                "open files, hard limit",
	"proc/sys/net/core/somaxconn":                                     "net.core.somaxconn",
	"proc/sys/net/ipv4/tcp_max_syn_backlog":                           "net.ipv4.tcp_max_syn_backlog",
	"proc/sys/net/ipv4/ip_local_port_range":                           "net.ipv4.ip_local_port_range",
	"proc/sys/net/ipv4/tcp_tw_reuse":                                  "net.ipv4.tcp_tw_reuse",
	"proc/sys/net/ipv4/tcp_tw_recycle":                                "net.ipv4.tcp_tw_recycle",
	"proc/sys/net/ipv4/tcp_fin_timeout":                               "net.ipv4.tcp_fin_timeout",
	"proc/sys/net/ipv4/tcp_max_tw_buckets":                            "TIME_WAIT sockets",
	"proc/net/sockstat":                                               "TIME_WAIT sockets",
	"proc/net/netstat":                                                "listen overflows",
	"proc/net/softnet_stat":                                           "packets dropped before TCP",
	"proc/meminfo":                                                    "memory",
	"proc/swaps":                                                      "swap",
	"proc/self/cgroup":                                                "CPU quota and GOMAXPROCS",
	"proc/self/mountinfo":                                             "data directory's file system",
	"sys/fs/cgroup/cpu.max":                                           "CPU quota and GOMAXPROCS",
	"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":                      "CPU quota and GOMAXPROCS",
	"sys/fs/cgroup/system.slice/popupd.service/memory.max":            "memory",
	"sys/kernel/mm/transparent_hugepage/enabled":                      "transparent huge pages",
	"sys/devices/system/clocksource/clocksource0/current_clocksource": "clock source",
}

// load reads a tree into memory, without the golden files.
func load(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "/") {
			return err
		}
		data, err := fs.ReadFile(root, path)
		files[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var setting = regexp.MustCompile(`^[a-z0-9_.]+ = -?[0-9]+( [0-9]+)?$`)

// sound says what no report may be like, whatever the host says.
func sound(r Report) error {
	for _, f := range r.Findings {
		if !slices.Contains(statuses, f.Status) || f.Check == "" || f.Found == "" || f.Wanted == "" || f.Why == "" {
			return errors.New("incomplete: " + strings.Join([]string{string(f.Status), f.Check, f.Found, f.Wanted, f.Why}, "|"))
		}
		if (f.Status == Warn || f.Status == Critical) && (f.Change == "" || f.Rollback == "") {
			return errors.New("no change or no way back: " + f.Check)
		}
		if (f.Status == OK || f.Status == Unknown) && f.Change != "" {
			return errors.New("a change without need: " + f.Check)
		}
	}
	var table, conf, report bytes.Buffer
	if err := errors.Join(r.WriteTable(&table, 80), r.WriteSysctl(&conf), r.WriteJSON(&report)); err != nil {
		return err
	}
	if i := bytes.IndexFunc(table.Bytes(), func(c rune) bool { return c < ' ' && c != '\n' }); i >= 0 {
		return errors.New("a control character in the table")
	}
	for line := range strings.Lines(table.String()) {
		words := strings.Fields(line)
		if utf8.RuneCountInString(line) > 80+len("\n") && len(words[len(words)-1]) < 50 { // a path or a link
			return errors.New("wider than the terminal: " + line)
		}
	}
	for line := range strings.Lines(conf.String()) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && !strings.HasPrefix(line, "#") && !setting.MatchString(line) {
			return errors.New("not a setting: " + line)
		}
	}
	var back Report
	return json.Unmarshal(report.Bytes(), &back)
}

// TestNeverWrites holds a host's files, their times and modes against what they
// were before everything was asked of it.
func TestNeverWrites(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/old")); err != nil {
		t.Fatal(err)
	}
	s := site("old")
	s.Host = NewHost(os.DirFS(dir))
	before := state(t, dir)
	if err := sound(Examine(s)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, state(t, dir)); diff != "" {
		t.Errorf("the host changed (-before +after):\n%s", diff)
	}
}

// state returns what a change of a tree would change, by path.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		m[path] = info.Mode().String() + " " + info.ModTime().Format(time.RFC3339Nano)
		if !d.IsDir() {
			data, err := os.ReadFile(path)
			m[path] += " " + string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		cut   bool
		want  []string
	}{
		{"", 10, true, nil},
		{"one two three", 7, true, []string{"one two", "three"}},
		{"abcdefghij kl", 4, false, []string{"abcdefghij", "kl"}},
		{"abcdefghij kl", 4, true, []string{"abcd", "efgh", "ij", "kl"}},
		{"größte Grüße", 6, true, []string{"größte", "Grüße"}},
		{"a\nb\x1b[31m", 20, true, []string{"a b [31m"}},
	} {
		if got := wrap(c.text, c.width, c.cut); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q, %d, %v) = %q, want %q", c.text, c.width, c.cut, got, c.want)
		}
	}
}

// FuzzHost puts anything into one file of a host.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"", "1", "-1", "max", "18446744073709551615", "10 5", "[", "0::/..", ":::", "1 1 0:1 \\ \\777 rw - cgroup2 x rw", "TcpExt: a\nTcpExt: 1 2 3"} {
		for i := range 8 {
			f.Add(uint8(i*5), uint8(i), []byte(seed))
		}
	}
	all := map[string]fstest.MapFS{}
	for _, host := range hosts() {
		all[host] = load(f, filepath.Join("testdata", host))
	}
	delete(all, "empty")
	hosts := slices.Sorted(maps.Keys(all))
	f.Fuzz(func(t *testing.T, file, host uint8, data []byte) {
		name := hosts[int(host)%len(hosts)]
		files := maps.Clone(all[name])
		names := slices.Sorted(maps.Keys(files))
		files[names[int(file)%len(names)]] = &fstest.MapFile{Data: data}
		s := site(name)
		s.Host = NewHost(files)
		if err := sound(Examine(s)); err != nil {
			t.Errorf("%s of %s: %v", names[int(file)%len(names)], name, err)
		}
	})
}

// FuzzParseInfo reads what a Redis might say, and judges it.
func FuzzParseInfo(f *testing.F) {
	f.Add("# Server\r\nredis_version:7.0.1\r\nrole:master\r\n")
	f.Add("redis_version:\nmaxmemory:-1\nused_memory:9223372036854775807\nrole:\nredis_mode:\naof_enabled:\nmaxmemory_policy:\n")
	f.Fuzz(func(t *testing.T, text string) {
		if err := sound(Examine(Site{Host: NewHost(fstest.MapFS{}), Servers: 1, Redis: []Redis{{Address: "a", Info: ParseInfo(text)}}})); err != nil {
			t.Error(err)
		}
	})
}
