package testbed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// MySQL is a private mariadbd, or a mysqld (see [MysqldVariable]), with root and no
// password. It keeps its data over restarts.
type MySQL struct {
	*Process
	Addr string // host:port
	dir  string
}

// MySQL starts a server without a database. The error is a [*MissingError] where there is
// no MariaDB.
func (b *Testbed) MySQL(o StoreOptions) (*MySQL, error) {
	e, err := engineOf()
	if err != nil {
		return nil, err
	}
	return b.mysqlOf(e, o)
}

// mysqlOf starts a server on a copy of its data directory.
func (b *Testbed) mysqlOf(e engine, o StoreOptions) (*MySQL, error) {
	if o.Dir == "" {
		o.Dir = b.newDir("mysql")
	}
	s := &MySQL{dir: o.Dir}
	temporary := b.newDir("mysql-tmp") // a server that starts deletes the temporary tables of others in the same one
	for _, dir := range []string{s.dir, temporary} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(s.DataDir()); errors.Is(err, fs.ErrNotExist) { // else an earlier server has left its own
		if err := os.CopyFS(s.DataDir(), os.DirFS(e.template)); err != nil {
			return nil, fmt.Errorf("copy data directory: %w", err)
		}
	}
	if e.init != "" {
		file := filepath.Join(s.dir, "init.sql")
		if err := os.WriteFile(file, []byte(e.init), 0o600); err != nil {
			return nil, err
		}
		e.args = append(e.args, "--init-file="+file)
	}
	var err error
	s.Process, s.Addr, err = b.startOnFreePort(func(_ string, port int) Program {
		args := slices.Concat([]string{
			e.binary, "--no-defaults", "--datadir=" + s.DataDir(), "--socket=" + s.socket(), "--pid-file=" + filepath.Join(s.dir, "pid"),
			"--tmpdir=" + temporary,
			"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--skip-name-resolve",
			"--innodb-flush-log-at-trx-commit=1", // the durability that popupd assumes
			"--innodb-buffer-pool-size=128M", "--key-buffer-size=1M", "--performance-schema=off", "--skip-log-bin",
		}, e.args, o.Args, asRoot())
		return Program{Name: e.name, Args: args, Env: e.env, Dir: s.dir, Cores: o.Cores, Probe: s.greets}
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// CreateDatabase makes an empty database and returns its DSN.
func (s *MySQL) CreateDatabase(name string) (dsn string, err error) {
	if _, err := s.Query("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	return s.DSN(name), nil
}

// DSN returns what popupd's -mysql flag takes for a database of this server.
func (s *MySQL) DSN(database string) string {
	return fmt.Sprintf("root@tcp(%s)/%s", s.Addr, database)
}

// DataDir is where the server keeps its data, which may be copied while it does not run.
func (s *MySQL) DataDir() string { return filepath.Join(s.dir, "data") }

// socket is where the server listens besides its port.
func (s *MySQL) socket() string { return filepath.Join(s.dir, "s") }

// asRoot allows root to run the server: containers have no other user.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// dataTemplate returns a freshly installed data directory, made once per
// version of mariadbd and user, to be copied. The error is a [*MissingError] where
// there is no MariaDB.
func dataTemplate(mariadbd string) (string, error) {
	for _, binary := range []string{mariadbd, "mariadb-install-db", "mariadb"} {
		if err := Need(binary, "mariadb-server"); err != nil {
			return "", err
		}
	}
	binary, err := LookPath(mariadbd)
	if err != nil {
		return "", err
	}
	version, err := exec.Command(binary, "--no-defaults", "--version").Output()
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
	install, err := LookPath("mariadb-install-db")
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

// greets reports whether the server sends its handshake, on the socket: on the
// port, connections given up would count as errors of a host.
func (s *MySQL) greets() error {
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
		return errors.New("the server refuses connections")
	}
	return nil
}

// Query runs SQL as root with the mariadb client, which spares the package an
// SQL driver. It returns the rows, a line each, their columns tab-separated.
func (s *MySQL) Query(sql string) (string, error) {
	client, err := LookPath("mariadb")
	if err != nil {
		return "", err
	}
	var failure bytes.Buffer
	cmd := exec.Command(client, "--no-defaults", "--batch", "--skip-column-names", "--socket="+s.socket(), "--user=root", "--execute="+sql)
	cmd.Stderr = &failure
	rows, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", sql, err, bytes.TrimSpace(failure.Bytes()))
	}
	return string(bytes.TrimSpace(rows)), nil
}
