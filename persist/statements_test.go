package persist

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
)

// statementsFile has every statement that popupd sends to MySQL and MariaDB, one a line, in
// the form of [form]. The tests of persist/engines read them with the parsers of other
// servers. What is not sent any more leaves it when the file is removed and written anew.
const statementsFile = "testdata/statements.sql"

var updateStatements = flag.Bool("update", false, "add what is sent to "+statementsFile)

// sent is what the stores under test have sent to their servers.
type sent struct {
	mu         sync.Mutex
	statements map[string]bool // by their form, see form; guarded by mu
}

// tapped is a connection whose commands are noted once its session shows to be one of a
// store, and not of a test that looks on.
type tapped struct {
	*net.TCPConn // the driver looks for its descriptor
	sent         *sent
	noted        []string // before it showed
	isStore      bool
}

// tap has all connections of the driver in this process noted.
func tap() *sent {
	s := &sent{statements: map[string]bool{}}
	mysql.RegisterDialContext("tcp", func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return &tapped{TCPConn: conn.(*net.TCPConn), sent: s}, nil
	})
	return s
}

// Write notes a packet with a command that carries SQL: a query, or a statement that is
// prepared. The driver writes a packet at a time.
func (c *tapped) Write(b []byte) (int, error) {
	const length, number, prepare = 3, 0, 0x16
	if len(b) > 5 && b[length] == number && (b[4] == comQuery || b[4] == prepare) {
		c.noted = append(c.noted, string(b[5:]))
		c.isStore = c.isStore || bytes.Contains(b, []byte("ISOLATION LEVEL READ COMMITTED"))
	}
	if c.isStore {
		c.sent.add(c.noted)
		c.noted = nil
	}
	return c.TCPConn.Write(b)
}

func (s *sent) add(statements []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range statements {
		if text != withoutReturning {
			s.statements[form(text)] = true
		}
	}
}

// check prints what was sent and the file lacks: a form that tests draw may be new in any run,
// so that alone fails none. TestEveryStatementIsSent fails. It returns the exit code.
func (s *sent) check(code int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code != 0 || len(s.statements) == 0 {
		return code
	}
	b, err := os.ReadFile(statementsFile)
	if err != nil && !*updateStatements {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		known[strings.TrimSuffix(line, "\n")] = true
	}
	news := slices.DeleteFunc(slices.Sorted(maps.Keys(s.statements)), func(line string) bool { return known[line] })
	if *updateStatements {
		maps.Copy(known, s.statements)
		all := strings.Join(slices.Sorted(maps.Keys(known)), "\n") + "\n"
		if err := os.WriteFile(statementsFile, []byte(all), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	for _, line := range news {
		fmt.Fprintf(os.Stderr, "%s lacks: %s\nadd it: go test ./persist -args -update, and then: make engines\n", statementsFile, line)
	}
	return 0
}
