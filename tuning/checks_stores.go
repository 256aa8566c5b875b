package tuning

import (
	"fmt"
	"strconv"
	"strings"
)

// MySQL is what a server says of itself. The names of variables are in lower
// case, the values as SHOW VARIABLES prints them.
type MySQL struct {
	Address     string            // host:port, which tells nodes apart
	Err         error             // why it could not be asked
	Connections int               // that one popupd opens at most
	Global      map[string]string // server-wide
	Session     map[string]string // of a connection as popupd makes it
	Privileges  Privileges
}

// mysqlChecks is about each node of the database: popupd may come to use any of them.
func mysqlChecks(nodes []MySQL) []check {
	var checks []check
	for i := range nodes {
		for _, c := range nodes[i].checks() {
			if len(nodes) > 1 {
				c.name = strings.Replace(c.name, "mysql", "mysql "+nodes[i].Address, 1)
			}
			checks = append(checks, c)
		}
	}
	return checks
}

// checks is about one server. One that was named and does not answer is one critical
// finding: popupd would journal until the quota is used up, and what else is wrong
// there cannot be known.
func (m *MySQL) checks() []check {
	if m.Err != nil {
		return []check{unreachable("mysql", m.Err, "A popupd that runs keeps events in its journal up to -journal-max, and then serves nothing; one that starts without"+
			" a dump of the users' state waits for the database.")}
	}
	const docs = "https://dev.mysql.com/doc/refman/8.4/en/"
	return append(m.Privileges.checks(), []check{
		{
			name:   "mysql version",
			wanted: "MySQL 5.6 or newer, MariaDB 10.11 or newer",
			why:    "The oldest that popupd is tested with. Galera answers as MariaDB; TiDB and Vitess answer as MySQL.",
			look:   func(*Site) (verdict, error) { return m.version() },
		},
		{
			name:   "mysql innodb_flush_log_at_trx_commit",
			wanted: "1",
			why: "The journal lets go of events once MySQL has committed them. With 0 or 2 a crash of that machine takes the last second of commits," +
				" and nobody has those events any more.",
			source: docs + "innodb-parameters.html#sysvar_innodb_flush_log_at_trx_commit",
			look: func(*Site) (verdict, error) {
				return m.mustBe(Critical, "innodb_flush_log_at_trx_commit", "1", "3") // 3: MariaDB's 1 of old
			},
		},
		{
			name:   "mysql sync_binlog",
			wanted: "1, or no binary log",
			why: "With a binary log, recovery after a crash drops the transactions that did not reach it on disk. Without 1 those may be ones that" +
				" were committed, and that the journal has let go of.",
			source: docs + "replication-options-binary-log.html#sysvar_sync_binlog",
			look: func(*Site) (verdict, error) {
				if on, err := m.global("log_bin"); err != nil || !isOn(on) {
					return verdict{found: "no binary log"}, err
				}
				return m.mustBe(Critical, "sync_binlog", "1")
			},
		},
		{
			name:   "mysql read_only",
			wanted: "OFF",
			why:    "A replica takes no events: -mysql has to lead to the primary.",
			source: docs + "server-system-variables.html#sysvar_read_only",
			look: func(*Site) (verdict, error) {
				on, err := m.global("read_only")
				v := verdict{found: on}
				if isOn(on) {
					v.status, v.change, v.rollback = Critical, "-mysql of the primary", "the former -mysql"
				}
				return v, err
			},
		},
		{
			name:   "mysql sql_mode",
			wanted: "strict in popupd's sessions",
			why: "popupd makes its own sessions strict, so that a value that does not fit is an error and never cut. A proxy that shares sessions" +
				" must keep that; the server's own mode matters only to others.",
			source: docs + "sql-mode.html#sql-mode-strict",
			look:   func(*Site) (verdict, error) { return m.sqlMode() },
		},
		{
			name: "mysql max_connections",
			why: "Each popupd opens up to so many connections, and most of the time far fewer. Beyond the limit changes and reports fail, and one more" +
				" is for you.",
			source: docs + "server-system-variables.html#sysvar_max_connections",
			look:   func(s *Site) (verdict, error) { return m.maxConnections(s.Servers) },
		},
		{
			name:   "mysql max_allowed_packet",
			wanted: "2 MiB or more",
			why:    "Statements are at most 1 MiB, and half of this: with less popupd writes smaller batches, and a popup may be too large.",
			source: docs + "packet-too-large.html",
			look: func(*Site) (verdict, error) {
				const key, wanted = "max_allowed_packet", 2 << 20
				n, err := m.number(key)
				v := verdict{found: size(n)}
				if err == nil && n < wanted {
					v.status = Warn
					v.change, v.rollback = setGlobal(key, strconv.Itoa(16<<20)), setGlobal(key, strconv.FormatInt(n, 10))
				}
				return v, err
			},
		},
	}...)
}

// unreachable is the only check of a store that did not answer. flag is the one
// that names it.
func unreachable(flag string, err error, why string) check {
	return check{
		name: flag, wanted: "an answer", why: why,
		look: func(*Site) (verdict, error) {
			return verdict{
				status: Critical, found: err.Error(),
				change: "see that the server runs, that nothing between blocks it, and that -" + flag + " has the right address, user and password", rollback: "the former -" + flag,
			}, nil
		},
	}
}

func (m *MySQL) global(name string) (string, error) {
	value := m.Global[name]
	if value == "" {
		return "", fmt.Errorf("the server does not say %s", name)
	}
	return value, nil
}

func (m *MySQL) number(name string) (int64, error) {
	value, err := m.global(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, errMalformed)
	}
	return n, nil
}

// mustBe wants a variable to have the first of some values; the others will do.
func (m *MySQL) mustBe(otherwise Status, name string, values ...string) (verdict, error) {
	value, err := m.global(name)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: value}
	for _, fits := range values {
		if value == fits {
			return v, nil
		}
	}
	v.status, v.change, v.rollback = otherwise, setGlobal(name, values[0]), setGlobal(name, value)
	return v, nil
}

func setGlobal(name, value string) string {
	return fmt.Sprintf("SET GLOBAL %s = %s, and in my.cnf", name, value)
}

// isOn also knows NO_LOCK and NO_LOCK_NO_ADMIN, of MariaDB's read_only.
func isOn(value string) bool {
	return value != "" && !strings.EqualFold(value, "OFF") && value != "0"
}

func (m *MySQL) version() (verdict, error) {
	text, err := m.global("version")
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: text}
	var major, minor int
	// Some servers put 5.5.5- before MariaDB's version, for old replicas.
	if _, err := fmt.Sscanf(strings.TrimPrefix(text, "5.5.5-"), "%d.%d", &major, &minor); err != nil {
		return verdict{}, fmt.Errorf("version %.40q: %w", text, errMalformed)
	}
	wantMajor, wantMinor := 5, 6
	if strings.Contains(strings.ToLower(text+m.Global["version_comment"]), "mariadb") {
		wantMajor, wantMinor = 10, 11
	}
	if major < wantMajor || major == wantMajor && minor < wantMinor {
		v.status, v.change, v.rollback = Warn, "upgrade the server", "a backup from before"
	}
	return v, nil
}

func (m *MySQL) sqlMode() (verdict, error) {
	session, ok := m.Session["sql_mode"]
	if !ok {
		return verdict{}, fmt.Errorf("the server does not say sql_mode")
	}
	strict := func(mode string) string {
		if strings.Contains(mode, "STRICT_ALL_TABLES") || strings.Contains(mode, "STRICT_TRANS_TABLES") {
			return "strict"
		}
		return "not strict"
	}
	v := verdict{found: fmt.Sprintf("session %s, server %s", strict(session), strict(m.Global["sql_mode"]))}
	if strict(session) != "strict" {
		v.status = Critical
		v.change, v.rollback = "let the proxy keep session variables, or reach MySQL without it", "the former -mysql"
	}
	return v, nil
}

// operators is how many connections are left to others than popupd.
const operators = 10

func (m *MySQL) maxConnections(servers int) (verdict, error) {
	const key = "max_connections"
	limit, err := m.number(key)
	if err != nil {
		return verdict{}, err
	}
	needed := int64(servers) * int64(m.Connections)
	v := verdict{
		found:  strconv.FormatInt(limit, 10),
		wanted: fmt.Sprintf("%d or more: %d servers x %d connections, %d for others", needed+operators, servers, m.Connections, operators),
	}
	if n, err := m.number("max_user_connections"); err == nil && n > 0 {
		v.found += fmt.Sprintf(", %d a user", n)
		limit = min(limit, n+operators)
	}
	if limit < needed+operators {
		v.status = Warn
		v.change, v.rollback = setGlobal(key, strconv.FormatInt(needed+operators, 10))+" (likewise max_user_connections)", "the former values: "+v.found
	}
	if limit < needed {
		v.status = Critical
	}
	return v, nil
}
