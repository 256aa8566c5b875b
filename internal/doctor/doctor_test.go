package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/tuning"
)

// run runs popupd doctor with arguments, and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	c, err := cli.ParseDoctor(args, nil, stdout)
	if err == nil {
		err = Run(c, nil, stdout)
	}
	return cli.Exit(stderr, err)
}

// examine runs popupd doctor -json.
func examine(t *testing.T, args ...string) (findings map[string]tuning.Finding, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(append([]string{"-json", "-data", t.TempDir()}, args...), &stdout, &stderr)
	var report tuning.Report
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("%v: exit %d, %s%s: %v", args, code, &stdout, &stderr, err)
	}
	if code == 0 == report.Critical() {
		t.Errorf("%v: exit %d, critical %v", args, code, report.Critical())
	}
	findings = make(map[string]tuning.Finding)
	for _, f := range report.Findings {
		findings[f.Check] = f
	}
	return findings, code
}

func TestDoctorOfThisHost(t *testing.T) {
	findings, _ := examine(t)
	for _, check := range []string{"open files, hard limit", "net.core.somaxconn", "data directory's free space"} {
		if f, ok := findings[check]; !ok || f.Status == tuning.Unknown {
			t.Errorf("%s: got %+v, want to know", check, f)
		}
	}
	for check := range findings {
		if strings.HasPrefix(check, "mysql") || strings.HasPrefix(check, "redis") {
			t.Errorf("%s was looked at, unasked", check)
		}
	}
}

func TestDoctorLeavesTheDataDirectoryAlone(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "not", "yet")
	var stdout, stderr bytes.Buffer
	run([]string{"-data", missing}, &stdout, &stderr)
	if !strings.Contains(stdout.String(), "free, 0 B in use") {
		t.Errorf("got %s%s, want the free space of where it will be", &stdout, &stderr)
	}
	if _, err := os.Stat(filepath.Dir(missing)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the doctor made %s (%v)", missing, err)
	}
}

func TestDoctorOfStores(t *testing.T) {
	good := storetest.StartMySQL(t, "--max-connections=200")
	dsn := good.CreateDatabase(t, "popupd")
	redis := storetest.StartRedis(t, "--maxmemory", "512mb")
	findings, _ := examine(t, "-mysql", dsn, "-redis", redis.URL(), "-servers", "2")
	stores := 0
	for check, f := range findings {
		if !strings.HasPrefix(check, "mysql") && !strings.HasPrefix(check, "redis") {
			continue
		}
		stores++
		if f.Status != tuning.OK {
			t.Errorf("well set: %+v, want ok", f)
		}
	}
	if stores != 14 {
		t.Errorf("%d checks of the stores, want 14: %v", stores, slices.Sorted(maps.Keys(findings)))
	}
	if got, want := findings["mysql max_connections"].Wanted, "46 or more: 2 servers x 18 connections, 10 for others"; got != want {
		t.Errorf("max_connections: wanted %q, want %q", got, want)
	}
}

func TestDoctorOfIllSetStores(t *testing.T) {
	bad := storetest.StartMySQL(t, "--innodb-flush-log-at-trx-commit=2", "--log-bin", "--sync-binlog=0", "--max-connections=20", "--max-allowed-packet=1M", "--sql-mode=", "--read-only")
	dsn := bad.CreateDatabase(t, "popupd")
	redis := storetest.StartRedis(t, "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--appendonly", "yes", "--save", "60 1")
	findings, code := examine(t, "-mysql", dsn, "-redis", redis.URL(), "-servers", "2")
	if code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	for check, want := range map[string]tuning.Status{
		"mysql version":                        tuning.OK,
		"mysql innodb_flush_log_at_trx_commit": tuning.Critical,
		"mysql sync_binlog":                    tuning.Critical,
		"mysql read_only":                      tuning.Critical,
		"mysql max_connections":                tuning.Critical,
		"mysql max_allowed_packet":             tuning.Warn,
		"mysql sql_mode":                       tuning.OK, // popupd's sessions are strict by themselves
		"redis role":                           tuning.OK,
		"redis maxmemory":                      tuning.Warn,
		"redis maxmemory-policy":               tuning.Warn,
		"redis persistence":                    tuning.Warn,
	} {
		if f := findings[check]; f.Status != want {
			t.Errorf("%s: got %+v, want %s", check, f, want)
		}
	}
}

// TestDoctorOfNodes: each server that -mysql lists has findings of its own.
func TestDoctorOfNodes(t *testing.T) {
	good := storetest.StartMySQL(t)
	dsn := good.CreateDatabase(t, "popupd")
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	const away = "127.0.0.1:1"
	findings, code := examine(t, "-mysql", strings.Replace(dsn, config.Addr, config.Addr+","+away, 1))
	if code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	if f := findings["mysql "+config.Addr+" read_only"]; f.Status != tuning.OK {
		t.Errorf("the node that works: %+v", f)
	}
	if f := findings["mysql "+config.Addr+" privileges"]; f.Status != tuning.OK {
		t.Errorf("the node that works: %+v", f)
	}
	if f := findings["mysql "+away]; f.Status != tuning.Critical {
		t.Errorf("the node that is away: %+v", f)
	}
}

func TestDoctorOfAClusterTakenForOneServer(t *testing.T) {
	redis := storetest.StartRedis(t, "--cluster-enabled", "yes")
	findings, _ := examine(t, "-redis", redis.URL())
	if f := findings["redis role"]; f.Status != tuning.Critical {
		t.Errorf("got %+v, want critical", f)
	}
}

func TestDoctorOfAReplica(t *testing.T) {
	redis := storetest.StartRedis(t, "--replicaof", "127.0.0.1 1")
	findings, _ := examine(t, "-redis", redis.URL())
	if f := findings["redis role"]; f.Status != tuning.Critical {
		t.Errorf("got %+v, want critical", f)
	}
}

// TestDoctorWithoutStores: what was named and does not answer is critical, and
// passwords stay out of all that is printed.
func TestDoctorWithoutStores(t *testing.T) {
	const password = "hunter2"
	args := []string{"-mysql", "root:" + password + "@tcp(127.0.0.1:1)/popupd", "-redis", "redis://user:" + password + "@127.0.0.1:1/0"}
	for _, format := range []string{"-json=false", "-json", "-sysctl"} {
		var stdout, stderr bytes.Buffer
		if code := run(append(args, format), &stdout, &stderr); code != 1 {
			t.Errorf("%s: exit %d, want 1: %s", format, code, &stderr)
		}
		if strings.Contains(stdout.String()+stderr.String(), password) {
			t.Errorf("%s prints the password: %s%s", format, &stdout, &stderr)
		}
	}
	findings, _ := examine(t, args...)
	for _, store := range []string{"mysql", "redis"} {
		if f := findings[store]; f.Status != tuning.Critical || !strings.Contains(f.Found, "refused") {
			t.Errorf("%s: got %+v, want critical and why", store, f)
		}
	}
	for _, args := range [][]string{{"-mysql", "root:hunter2@@@/"}, {"-redis", "redis://user:hunter2@:x:y"}, {"-redis", "http://hunter2"}} {
		var stdout, stderr bytes.Buffer
		if code := run(args, &stdout, &stderr); code != 2 || strings.Contains(stderr.String(), password) {
			t.Errorf("%v: exit %d, %s; want 2 and no password", args, code, &stderr)
		}
	}
}
