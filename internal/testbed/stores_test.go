//go:build unix

package testbed

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
)

// installed ends the test on an error; what is not installed skips it, unless
// stores are required.
func installed(t *testing.T, err error) {
	t.Helper()
	if _, missing := errors.AsType[*MissingError](err); missing && os.Getenv("POPUPD_REQUIRE_STORES") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestStoresKeepTheirCoresAndAddresses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a MariaDB")
	}
	installed(t, Need("taskset", "util-linux"))
	b := newTestbed(t)
	mysql, err := b.MySQL(StoreOptions{Cores: "0"})
	installed(t, err)
	redis, err := b.Redis(StoreOptions{Cores: "0"})
	installed(t, err)
	if _, err := mysql.CreateDatabase("popupd"); err != nil {
		t.Fatal(err)
	}
	if reply, err := redis.Command("SET k v"); reply != "+OK" || err != nil {
		t.Fatal(reply, err)
	}
	for _, when := range []string{"started", "restarted"} {
		for name, pid := range map[string]int{"mariadbd": mysql.Pid(), "redis-server": redis.Pid()} {
			if got := field("/proc/"+strconv.Itoa(pid)+"/status", "Cpus_allowed_list"); got != "0" {
				t.Errorf("%s, %s: runs on cores %q, want 0", name, when, got)
			}
		}
		if got, err := mysql.Query("SHOW DATABASES LIKE 'popupd'"); got != "popupd" || err != nil {
			t.Errorf("%s: the database popupd: %q, %v", when, got, err)
		}
		want := map[string]string{"started": ":1", "restarted": ":0"}[when]
		if reply, err := redis.Command("EXISTS k"); reply != want || err != nil {
			t.Errorf("%s: redis has the key: %q, %v; want %s", when, reply, err, want)
		}
		if err := errors.Join(mysql.Restart(), redis.Restart()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestQueryReturnsRows(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a MariaDB")
	}
	s, err := newTestbed(t).MySQL(StoreOptions{})
	installed(t, err)
	got, err := s.Query("SELECT 1, 2 UNION SELECT 3, 4")
	if want := "1\t2\n3\t4"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := s.Query("SELECT nothing"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("an unknown column: %v", err)
	}
}

func TestNginxAnswers(t *testing.T) {
	s, err := newTestbed(t).Nginx("    return 418;\n", StoreOptions{})
	if _, missing := errors.AsType[*MissingError](err); missing {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusTeapot {
		t.Errorf("it answers %s, want 418", resp.Status)
	}
}

func TestNeedSaysHowToGetIt(t *testing.T) {
	if err := Need("sh", "dash"); err != nil {
		t.Error(err)
	}
	want := "no-such-binary is not installed; install it: apt-get install such-package"
	if err := Need("no-such-binary", "such-package"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
