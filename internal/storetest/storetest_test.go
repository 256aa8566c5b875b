package storetest

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("STORETEST_CHILD") != "" {
		child()
		return
	}
	os.Exit(Main(m))
}

func TestDatabasesAreApart(t *testing.T) {
	a, b := MySQL(t), MySQL(t)
	if a == b {
		t.Errorf("both databases are %q", a)
	}
}

func TestMySQLKeepsItsDataOverAKill(t *testing.T) {
	s := StartMySQL(t)
	s.CreateDatabase(t, "kept")
	addr, pid := s.Addr, s.Pid()
	s.Kill()
	if s.Pid() != 0 {
		t.Errorf("pid %d after Kill", s.Pid())
	}
	s.Restart(t)
	if s.Addr != addr || s.Pid() == pid {
		t.Errorf("after the restart: %s, pid %d; before: %s, pid %d", s.Addr, s.Pid(), addr, pid)
	}
	if err := s.query("CREATE TABLE kept.t (id INT PRIMARY KEY)"); err != nil {
		t.Error(err)
	}
	s.Stop()
	s.Stop()
}

func TestRedisForgetsOverARestart(t *testing.T) {
	s := StartRedis(t)
	if reply, err := s.inline("SET k v"); err != nil || reply != "+OK" {
		t.Fatalf("SET: %q, %v", reply, err)
	}
	s.Restart(t)
	if reply, err := s.inline("EXISTS k"); err != nil || reply != ":0" {
		t.Errorf("EXISTS after a restart: %q, %v", reply, err)
	}
}

func TestSharedRedisIsEmptied(t *testing.T) {
	Redis(t)
	if reply, err := shared.redis.inline("SET k v"); err != nil || reply != "+OK" {
		t.Fatalf("SET: %q, %v", reply, err)
	}
	Redis(t)
	if reply, err := shared.redis.inline("DBSIZE"); err != nil || reply != ":0" {
		t.Errorf("DBSIZE: %q, %v", reply, err)
	}
}

// child starts a server, prints its pid and waits to be killed.
func child() {
	t := &testing.T{}
	s := startRedis(t, os.Getenv("STORETEST_CHILD"))
	os.Stdout.WriteString(strconv.Itoa(s.Pid()) + "\n")
	select {}
}

func TestServersDieWithTheTestBinary(t *testing.T) {
	if dieWithParent() == nil {
		t.Skip("needs Linux")
	}
	Redis(t) // skips where there is none
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORETEST_CHILD="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil && !zombie(pid); {
		if time.Now().After(deadline) {
			t.Fatalf("redis-server %d outlived its parent", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// zombie reports whether a process has ended and nobody has waited for it, as in
// a container without an init.
func zombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "Z")
}
