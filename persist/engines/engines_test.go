package engines

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // of its literals
	"vitess.io/vitess/go/mysql/sqlerror"
	"vitess.io/vitess/go/vt/sqlparser"
)

// statements returns what popupd sends, and apart from it what it sends to MariaDB alone:
// statements with RETURNING, of which it sends others the same without.
func statements(t *testing.T) (all, returning []string) {
	t.Helper()
	b, err := os.ReadFile("../testdata/statements.sql")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.Contains(line, " RETURNING ") {
			returning = append(returning, line)
		} else {
			all = append(all, line)
		}
	}
	if len(all) < 200 || len(returning) < 3 {
		t.Fatalf("%d statements and %d with RETURNING: the file is not whole", len(all), len(returning))
	}
	return all, returning
}

// TestReturningHasATwin: whatever MariaDB is asked to return, a server without RETURNING is
// sent without. The one that tries it is never sent twice: see persist's TestReturning.
func TestReturningHasATwin(t *testing.T) {
	all, returning := statements(t)
	for _, s := range returning {
		twin, _, _ := strings.Cut(s, " RETURNING ")
		if !strings.Contains(s, " WHERE FALSE ") && !slices.Contains(all, twin) {
			t.Errorf("only MariaDB takes %s", s)
		}
	}
}

func TestTiDB(t *testing.T) {
	all, returning := statements(t)
	for _, s := range all {
		nodes, _, err := parser.New().Parse(s, "", "")
		if err != nil || len(nodes) != 1 {
			t.Errorf("%d statements, %v: %s", len(nodes), err, s)
			continue
		}
		v := &tidbLimits{}
		nodes[0].Accept(v)
		for _, what := range v.found {
			t.Errorf("TiDB does not do %s: %s", what, s)
		}
	}
	for _, s := range returning { // a server makes error 1064 of it
		if _, _, err := parser.New().Parse(s, "", ""); err == nil || !strings.Contains(err.Error(), `near "RETURNING `) {
			t.Errorf("%v, want a syntax error: %s", err, s)
		}
	}
}

// tidbLimits finds what TiDB parses and does not do.
// https://docs.pingcap.com/tidb/stable/mysql-compatibility
// https://docs.pingcap.com/tidb/stable/system-variables#tidb_enable_noop_functions-new-in-v40
type tidbLimits struct{ found []string }

func (v *tidbLimits) Enter(n ast.Node) (ast.Node, bool) {
	find := func(what string, found bool) {
		if found {
			v.found = append(v.found, what)
		}
	}
	switch n := n.(type) {
	case *ast.BeginStmt:
		find("START TRANSACTION READ ONLY", n.ReadOnly)
	case *ast.SelectStmt:
		find("LOCK IN SHARE MODE", n.LockInfo != nil && n.LockInfo.LockType != ast.SelectLockForUpdate && n.LockInfo.LockType != ast.SelectLockNone)
		find("SQL_CALC_FOUND_ROWS", n.SelectStmtOpts != nil && n.SelectStmtOpts.CalcFoundRows)
	case *ast.AlterTableStmt:
		find("more than one change of a table at a time", len(n.Specs) > 1)
	case *ast.CreateTableStmt:
		find("CREATE TABLE … SELECT", n.Select != nil)
		find("a table without a primary key that clusters it", !slices.ContainsFunc(n.Constraints, func(c *ast.Constraint) bool {
			return c.Tp == ast.ConstraintPrimaryKey
		}) && !strings.HasPrefix(n.Table.Name.L, "schema_"))
	case *ast.Constraint:
		find("foreign keys before 6.6", n.Tp == ast.ConstraintForeignKey)
	case *ast.FuncCallExpr:
		find(n.FnName.O, slices.Contains([]string{"get_lock", "release_lock", "load_file"}, n.FnName.L))
	case *ast.CallStmt, *ast.LockTablesStmt, *ast.UnlockTablesStmt, *ast.LoadDataStmt:
		find("this", true)
	}
	return n, false
}

func (v *tidbLimits) Leave(n ast.Node) (ast.Node, bool) { return n, true }

func TestVitess(t *testing.T) {
	p, err := sqlparser.New(sqlparser.Options{MySQLServerVersion: "8.0.30-Vitess"})
	if err != nil {
		t.Fatal(err)
	}
	all, returning := statements(t)
	for _, s := range all {
		n, err := p.Parse(s)
		if err != nil {
			t.Errorf("%v: %s", err, s)
			continue
		}
		for _, what := range vitessLimits(t, n) {
			t.Errorf("Vitess does not do %s: %s", what, s)
		}
	}
	for _, s := range returning {
		_, err := p.Parse(s)
		if e, ok := sqlerror.NewSQLErrorFromError(err).(*sqlerror.SQLError); !ok || e.Number() != 1105 {
			t.Errorf("%v, want error 1105: %s", err, s)
		}
	}
}

// vitessLimits finds what Vitess parses and does not do in a keyspace of one shard.
// https://vitess.io/docs/reference/compatibility/mysql-compatibility/
func vitessLimits(t *testing.T, n sqlparser.SQLNode) (found []string) {
	t.Helper()
	find := func(what string, yes bool) {
		if yes {
			found = append(found, what)
		}
	}
	err := sqlparser.Walk(func(n sqlparser.SQLNode) (bool, error) {
		switch n := n.(type) {
		case *sqlparser.CreateTable:
			find("temporary tables", n.Temp)
			find("read all of this table's definition", !n.IsFullyParsed())
		case *sqlparser.AlterTable:
			find("read all of this change", !n.IsFullyParsed())
		case *sqlparser.LockTables, *sqlparser.UnlockTables, *sqlparser.Load, *sqlparser.CallProc:
			find("this", true)
		case *sqlparser.LockingFunc:
			find("locks by name", true)
		case *sqlparser.SetExpr:
			find("SET GLOBAL", n.Var.Scope == sqlparser.GlobalScope)
		}
		return true, nil
	}, n)
	if err != nil {
		t.Error(err)
	}
	return found
}
