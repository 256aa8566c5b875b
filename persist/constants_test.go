package persist

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryStatementIsSent: whatever is SQL in the source of this package is in what its tests
// have sent to MariaDB, so that no statement is read by people alone. Of a text with verbs of
// Printf each piece is looked for.
func TestEveryStatementIsSent(t *testing.T) {
	b, err := os.ReadFile(statementsFile)
	if err != nil {
		t.Fatal(err)
	}
	sent := string(b)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	statement := regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE|SET|SHOW|KILL|CREATE|ALTER|SAVEPOINT|RELEASE|ROLLBACK|START) `)
	verb := regexp.MustCompile(`%[dsv]\b`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "sqliteDialect" {
				return false
			}
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil || !statement.MatchString(text) {
				return true
			}
			found++
			for _, piece := range verb.Split(text, -1) {
				// A value may stand for a ? of the source, or a ? for itself.
				if piece = form(piece); !strings.Contains(sent, piece) && !matches(sent, piece) {
					t.Errorf("%s: no test sends %q", file, text)
				}
			}
			return true
		})
	}
	if found < 100 {
		t.Errorf("%d statements in the source: where are they?", found)
	}
}

// matches reports whether a piece was sent with values in place of its question marks.
func matches(sent, piece string) bool {
	parts := strings.Split(piece, "?")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	found, err := regexp.MatchString(strings.Join(parts, `(?:\?|1|'s'|NULL)`), sent)
	return err == nil && found
}
