package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

const installMySQL = "sudo apt-get install -y mariadb-server"

// StartMySQL starts a mariadbd that keeps its data over restarts, with root and
// no password. extra are further arguments, for example "--wait-timeout=5".
// The server is killed when the test ends.
func StartMySQL(t testing.TB, extra ...string) *Server {
	t.Helper()
	s := startMySQL(t, t.TempDir(), extra...)
	t.Cleanup(s.Kill)
	return s
}

// CreateDatabase makes an empty database and returns its DSN.
func (s *Server) CreateDatabase(t testing.TB, name string) (dsn string) {
	t.Helper()
	if err := s.query("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.DSN(name)
}

// DSN returns what popupd's -mysql flag takes for a database of this mariadbd.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("root@tcp(%s)/%s", s.Addr, database)
}

func startMySQL(t testing.TB, dir string, extra ...string) *Server {
	t.Helper()
	for _, binary := range []string{"mariadbd", "mariadb-install-db", "mariadb"} {
		if _, err := lookPath(binary); err != nil {
			missing(t, binary, installMySQL)
		}
	}
	binary, _ := lookPath("mariadbd")
	template, err := dataTemplate(binary)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if err := os.CopyFS(data, os.DirFS(template)); err != nil {
		t.Fatalf("copy data directory: %v", err)
	}
	return launch(t, func(addr string, port int) *Server {
		s := &Server{name: "mariadbd", Addr: addr, dir: dir, ready: greets}
		s.args = append([]string{
			binary, "--no-defaults", "--datadir=" + data, "--socket=" + s.socket(), "--pid-file=" + filepath.Join(dir, "pid"),
			"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--skip-name-resolve",
			"--innodb-flush-log-at-trx-commit=1", // the durability that popupd assumes
			"--innodb-buffer-pool-size=128M", "--innodb-log-file-size=96M", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M",
			"--performance-schema=off", "--skip-log-bin",
		}, extra...)
		s.args = append(s.args, asRoot()...)
		return s
	})
}

// asRoot allows root to run mariadbd: containers have no other user.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// lookPath also looks where distributions put servers, which is not in the PATH
// of everybody.
func lookPath(binary string) (string, error) {
	path, err := exec.LookPath(binary)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, binary)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// dataTemplate returns a freshly installed data directory, made once per
// version of mariadbd and user, to be copied.
func dataTemplate(mariadbd string) (string, error) {
	version, err := exec.Command(mariadbd, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask mariadbd for its version: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "popupd-storetest")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	template := filepath.Join(cache, fmt.Sprintf("mariadb-%x-%d", sha256.Sum256(version), os.Getuid()))
	if _, err := os.Stat(template); err == nil {
		return template, nil
	}
	install, err := lookPath("mariadb-install-db")
	if err != nil {
		return "", err
	}
	// Other test binaries may be doing the same: the first rename wins.
	scratch, err := os.MkdirTemp(cache, "install-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	fresh := filepath.Join(scratch, "data")
	args := append([]string{
		"--no-defaults", "--datadir=" + fresh, "--auth-root-authentication-method=normal", "--skip-test-db",
		"--innodb-log-file-size=4M", // the server makes it as large as it wants at its first start
	}, asRoot()...)
	if out, err := exec.Command(install, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	if err := os.Rename(fresh, template); err != nil {
		if _, statErr := os.Stat(template); statErr != nil {
			return "", fmt.Errorf("keep data template: %w", err)
		}
	}
	return template, nil
}

// greets reports whether mariadbd sends its handshake, on the socket: on the
// port, connections given up would count as errors of a host.
func greets(s *Server) error {
	conn, err := net.DialTimeout("unix", s.socket(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	var head [5]byte // length, sequence, then the protocol's version
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	if head[4] != 10 {
		return errors.New("mariadbd refuses connections")
	}
	return nil
}

// query runs SQL as root with the mariadb client, which spares the package an
// SQL driver.
func (s *Server) query(sql string) error {
	client, err := lookPath("mariadb")
	if err != nil {
		return err
	}
	out, err := exec.Command(client, "--no-defaults", "--socket="+s.socket(), "--user=root", "--execute="+sql).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", sql, err, bytes.TrimSpace(out))
	}
	return nil
}
