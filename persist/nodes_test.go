package persist

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// withNodes returns the DSN with another list of addresses.
func withNodes(t testing.TB, dsn string, addresses ...string) string {
	t.Helper()
	return strings.Replace(dsn, addressOf(t, dsn), strings.Join(addresses, ","), 1)
}

func addressOf(t testing.TB, dsn string) string {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return config.Addr
}

// behindTwoProxies returns a store that reaches one MariaDB at two addresses.
func behindTwoProxies(t *testing.T, options string) (s *store, first, second *proxy) {
	t.Helper()
	dsn := storetest.MySQL(t)
	first, second = startProxy(t, addressOf(t, dsn)), startProxy(t, addressOf(t, dsn))
	c := Config{DSN: withNodes(t, dsn, first.addr, second.addr) + options}
	return newStore(t, "mysql", dsn, c), first, second
}

// TestFailover: the node in use is killed while batches are flushed. Each is
// committed once, at the other node and soon, and all connections are there then.
func TestFailover(t *testing.T) {
	for _, c := range []struct {
		name      string
		dropBreak string // what the node is killed at; empty: between batches
		early     bool
	}{
		{"between batches", "", false},
		{"before COMMIT arrives", "COMMIT", true},
		{"before COMMIT is answered", "COMMIT", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, first, second := behindTwoProxies(t, "")
			id := streamID(1)
			s.register(t, id)
			s.mustFlush(t, batchOf(id, 0, shown("a", startMS)))
			if n := second.connections(); n != 0 {
				t.Errorf("%d connections to the second node while the first works", n)
			}
			if c.dropBreak != "" {
				first.set(func(p *proxy) { p.dropBreak, p.dropEarly = c.dropBreak, c.early })
				if _, err := s.Flush(t.Context(), batchOf(id, 1, shown("b", startMS))); classOf(err) != classConnection {
					t.Fatalf("Flush = %v (class %s), want class connection", err, classOf(err))
				}
				if !c.early {
					eventually(t, "the commit has arrived", func() bool {
						return s.number(t, "SELECT last_seq FROM ingest_stream") == 2
					})
				}
			}
			first.kill()
			start := time.Now()
			eventually(t, "everything is committed", func() bool {
				last, _, err := s.Progress(t.Context(), id)
				if err == nil && last < 3 {
					_, _ = s.Flush(t.Context(), batchOf(id, last, []popup.Event{shown("b", startMS), shown("c", startMS)}[last-1:]...))
				}
				return err == nil && last == 3
			})
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != 3 {
				t.Errorf("%d impressions, want 3", n)
			}
			if second.connections() == 0 {
				t.Error("no connection to the second node")
			}
		})
	}
}

// TestFrozenNode: a node that takes connections and never speaks is passed over
// within its share of the timeout, also of a caller's that is shorter.
func TestFrozenNode(t *testing.T) {
	dsn := storetest.MySQL(t)
	frozen := listenSilently(t)
	s := newStore(t, "mysql", dsn, Config{DSN: withNodes(t, dsn, frozen, addressOf(t, dsn)) + "?timeout=1s"})
	if !s.ping(t.Context()) {
		t.Error("the store does not answer")
	}
	if node := s.nodes.current.Load(); node != 1 {
		t.Errorf("node %d is in use, want 1", node)
	}
}

// TestRefusingNodeIsLeft: after one statement that a node refuses, the next of all
// pools go to another node, also over connections that are open.
func TestRefusingNodeIsLeft(t *testing.T) {
	for name, refusal := range map[string]string{
		"1047 outside of the primary component": "\xff\x17\x04#08S01WSREP has not yet prepared node for application use",
		"1290 read_only":                        "\xff\x0a\x05#HY000running with the --read-only option",
		"1836 read only mode":                   "\xff\x2c\x07#HY000running in read-only mode",
	} {
		t.Run(name, func(t *testing.T) {
			dsn := storetest.MySQL(t)
			s := newStore(t, "mysql", dsn, Config{DSN: dsn})
			refusing := addressOf(t, babbler{[]byte(refusal)}.start(t))
			s.config.DSN = withNodes(t, dsn, refusing, addressOf(t, dsn))
			db := s.open(t)
			idle, err := db.write.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := idle.Close(); err != nil { // to the pool
				t.Fatal(err)
			}
			id := streamID(1)
			s.register(t, id)
			b := batchOf(id, 0, shown("a", startMS))
			if _, err := db.Flush(t.Context(), b); !isRefusal(err) {
				t.Fatalf("Flush = %v, want a refusal", err)
			}
			if open := db.write.Stats().OpenConnections; open != 1 {
				t.Errorf("%d connections, want an idle one to the node that was left", open)
			}
			if !db.ping(t.Context()) {
				t.Error("the pool uses the node that was left")
			}
			if _, err := db.Flush(t.Context(), b); err != nil {
				t.Error(err)
			}
			if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != 1 {
				t.Errorf("%d impressions, want 1", n)
			}
		})
	}
}

// TestNodesAreLoggedOnce: while all nodes refuse statements there is one warning, and one
// line when one of them works again.
func TestNodesAreLoggedOnce(t *testing.T) {
	dsn := storetest.MySQL(t)
	s := newStore(t, "mysql", dsn, Config{DSN: dsn})
	refusal := "\xff\x17\x04#08S01WSREP has not yet prepared node for application use"
	refusing := func() string { return addressOf(t, babbler{[]byte(refusal)}.start(t)) }
	s.config.DSN = withNodes(t, dsn, refusing(), refusing(), refusing())
	db := s.open(t)
	var lines []string
	db.nodes.init(slog.New(onMessage(func(message string) { lines = append(lines, message) })))
	for range 7 {
		if db.ping(t.Context()) {
			t.Fatal("a node that refuses statements is up")
		}
	}
	db.nodes.works()
	db.nodes.works()
	want := []string{"the node of the database does not work: trying the next", "using another node of the database"}
	if !slices.Equal(lines, want) {
		t.Errorf("logged %q, want %q", lines, want)
	}
}

// TestReadOnlyNodeIsLeft is about real servers.
func TestReadOnlyNodeIsLeft(t *testing.T) {
	s := onMySQL(t)
	s.asUser(t, "node_app", "secret")
	replica := storetest.StartMySQL(t, "--read-only")
	config, err := mysql.ParseDSN(s.config.DSN)
	if err != nil {
		t.Fatal(err)
	}
	copied := &store{clock: s.clock, config: Config{DSN: replica.CreateDatabase(t, config.DBName)}}
	if err := copied.open(t).Migrate(t.Context()); err != nil { // root may
		t.Fatal(err)
	}
	for _, q := range []string{"CREATE USER node_app@'%' IDENTIFIED BY 'secret'", "GRANT ALL ON " + config.DBName + ".* TO node_app@'%'"} {
		if _, err := replica.Query(q); err != nil {
			t.Fatal(err)
		}
	}
	config.User, config.Passwd = "node_app", "secret"
	s.config.DSN = withNodes(t, config.FormatDSN(), addressOf(t, copied.config.DSN), config.Addr)
	db := s.open(t)
	if db.ping(t.Context()) {
		t.Error("the replica takes writes")
	}
	if !db.ping(t.Context()) {
		t.Error("the replica is still used")
	}
}

// TestTimeoutBelowZero: a list has a timeout even if the DSN asks for none, since
// without one a frozen node has no share to end.
func TestTimeoutBelowZero(t *testing.T) {
	s, _, _ := behindTwoProxies(t, "?timeout=-1s")
	if !s.ping(t.Context()) {
		t.Error("the store does not answer")
	}
}

// onMessage is called with what is logged.
type onMessage func(message string)

func (f onMessage) Enabled(context.Context, slog.Level) bool      { return true }
func (f onMessage) Handle(_ context.Context, r slog.Record) error { f(r.Message); return nil }
func (f onMessage) WithAttrs([]slog.Attr) slog.Handler            { return f }
func (f onMessage) WithGroup(string) slog.Handler                 { return f }

// TestKillStaysOnItsServer: the node changes between the look at an orphaned session
// and its KILL, which on another node would end a session of somebody else.
func TestKillStaysOnItsServer(t *testing.T) {
	s, _, second := behindTwoProxies(t, "")
	orphaned := serverSession{since: time.Now()}
	conn, err := s.raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.QueryRowContext(t.Context(), selectServer+", CONNECTION_ID()").Scan(&orphaned.server, &orphaned.id); err != nil {
		t.Fatal(err)
	}
	moved := false
	s.log = slog.New(onMessage(func(message string) {
		if strings.HasPrefix(message, "killing an orphaned session") {
			s.nodes.leave(0, nil)
			moved = true
		}
	}))
	s.flusher.orphan(orphaned)
	s.flusher.killOrphanedSessions(t.Context())
	if n := second.connections(); !moved || n != 0 {
		t.Errorf("moved: %t; %d connections to the other node, want none", moved, n)
	}
	eventually(t, "the session is killed", func() bool { // MySQL 5.6 may notice it when its client says something
		return s.number(t, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ? AND COMMAND <> 'Killed'", orphaned.id) == 0
	})
}

func TestNodes(t *testing.T) {
	for dsn, want := range map[string][]string{
		"u:p@tcp(a:1)/d":              {"u:p@tcp(a:1)/d"},
		"u:p@unix(/run/x.sock)/d":     {"u:p@unix(/run/x.sock)/d"},
		"u:p@tcp/d":                   {"u:p@tcp/d"},
		"u:p@/d":                      {"u:p@/d"},
		"/d":                          {"/d"},
		"nonsense":                    {"nonsense"},
		"u:p(,)@tcp(a)/d":             {"u:p(,)@tcp(a)/d"},
		"u:p@tcp(a:1,b)/d?tls=true":   {"u:p@tcp(a:1)/d?tls=true", "u:p@tcp(b)/d?tls=true"},
		"u:p,@(/@(a,b:2)/d":           {"u:p,@(/@(a)/d", "u:p,@(/@(b:2)/d"},
		"tcp([::1]:1,[fe80::1%x]:2)/": {"tcp([::1]:1)/", "tcp([fe80::1%x]:2)/"},
	} {
		if got, err := Nodes(dsn); err != nil || !slices.Equal(got, want) {
			t.Errorf("Nodes(%q) = %q, %v, want %q", dsn, got, err, want)
		}
	}
}

func TestWrongNodes(t *testing.T) {
	for _, at := range []string{
		"tcp(a:1,)", "tcp(,a:1)", "tcp(,)", "tcp(a:1,,b:1)", "tcp(a:1,b:65536)", "tcp(a:1,b:0)", "tcp(a:1,b:-1)", "tcp(a:1,b:)", "tcp(a:1, b:1)", "tcp(a:1,:3306)",
		"tcp(a:mysql,b:1)", "tcp(::1,::2)", "tcp(a:1),tcp(b:1)", "unix(/run/a.sock,/run/b.sock)", "tcp6(a:1,b:1)", "hunter2tcp(a:1,b:1)",
	} {
		db, err := Open(Config{DSN: "root:hunter2@" + at + "/db"})
		if err == nil {
			_ = db.Close()
			t.Errorf("Open takes %s", at)
			continue
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, "\n") || !strings.HasSuffix(text, nodesForm) {
			t.Errorf("%s: %v", at, err)
		}
	}
}
