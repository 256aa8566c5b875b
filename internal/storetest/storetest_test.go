package storetest

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

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
	if s.State() == nil {
		t.Error("it runs after Kill")
	}
	s.Restart(t)
	if s.Addr != addr || s.Pid() == pid {
		t.Errorf("after the restart: %s, pid %d; before: %s, pid %d", s.Addr, s.Pid(), addr, pid)
	}
	if _, err := s.Query("CREATE TABLE kept.t (id INT PRIMARY KEY)"); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestRedisForgetsOverARestart(t *testing.T) {
	s := StartRedis(t)
	if reply, err := s.Command("SET k v"); err != nil || reply != "+OK" {
		t.Fatalf("SET: %q, %v", reply, err)
	}
	s.Restart(t)
	if reply, err := s.Command("EXISTS k"); err != nil || reply != ":0" {
		t.Errorf("EXISTS after a restart: %q, %v", reply, err)
	}
}

func TestSharedRedisIsEmptied(t *testing.T) {
	Redis(t)
	if reply, err := shared.redis.Command("SET k v"); err != nil || reply != "+OK" {
		t.Fatalf("SET: %q, %v", reply, err)
	}
	Redis(t)
	if reply, err := shared.redis.Command("DBSIZE"); err != nil || reply != ":0" {
		t.Errorf("DBSIZE: %q, %v", reply, err)
	}
}
