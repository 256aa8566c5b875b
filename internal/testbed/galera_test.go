//go:build unix

package testbed

import (
	"os"
	"testing"
)

// TestGaleraNodeComesBack: a node that was killed, and one that ended in order, join the
// others again and have what was written meanwhile.
func TestGaleraNodeComesBack(t *testing.T) {
	if os.Getenv("POPUPD_CLUSTER") == "" {
		t.Skip("starts a cluster: make galera")
	}
	nodes, err := newTestbed(t).Galera(3)
	installed(t, err)
	query := func(node int, sql string) string {
		t.Helper()
		rows, err := nodes[node].Query(sql)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	query(0, "CREATE DATABASE d; CREATE TABLE d.t (i INT PRIMARY KEY)")
	for i, end := range []func() error{
		func() error { nodes[2].Kill(); return nil },
		nodes[2].Stop,
	} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		query(0, "INSERT INTO d.t SELECT COUNT(*) FROM d.t")
		if err := nodes[2].Start(); err != nil {
			t.Fatal(err)
		}
		if got, want := query(2, "SELECT COUNT(*) FROM d.t"), []string{"1", "2"}[i]; got != want {
			t.Errorf("a node that was away has %s rows, want %s", got, want)
		}
		query(2, "INSERT INTO d.t VALUES ("+[]string{"-1", "-2"}[i]+")")
		query(2, "DELETE FROM d.t WHERE i < 0")
	}
}
