package stores_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/stores"
	"github.com/popupd/popupd/internal/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("STORES_CHILD"); dir != "" {
		child(dir)
		return
	}
	os.Exit(storetest.Main(m))
}

// child starts a server, prints its pid and waits to be killed.
func child(dir string) {
	s, err := stores.StartRedis(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Pid())
	select {}
}

func TestServersDieWithTheirParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	storetest.Redis(t) // skips where there is none
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORES_CHILD="+t.TempDir())
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
	for deadline := time.Now().Add(10 * time.Second); alive(pid); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("redis-server %d outlived its parent", pid)
		}
	}
}

// alive reports whether a process runs. One that has ended and that nobody has
// waited for, as in a container without an init, does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestPinOutlastsARestart(t *testing.T) {
	if _, err := exec.LookPath("taskset"); err != nil {
		t.Skip("needs taskset")
	}
	s := storetest.StartRedis(t)
	if err := s.Pin("0"); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"running", "restarted"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid()))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "Cpus_allowed_list:\t0\n") {
			t.Errorf("%s: allowed other cores than 0:\n%s", when, b)
		}
		s.Restart(t)
	}
}

func TestWhatIsMissingSaysHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := stores.LookPath("redis-server"); err == nil {
		t.Skip("redis-server is where servers are")
	}
	_, err := stores.StartRedis(t.TempDir())
	if want := "redis-server is not installed; install it: apt-get install redis-server"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestQueryReturnsRows(t *testing.T) {
	s := storetest.StartMySQL(t)
	got, err := s.Query("SELECT 1, 2 UNION SELECT 3, 4")
	if want := "1\t2\n3\t4"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := s.Query("SELECT nothing"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("an unknown column: %v", err)
	}
}
