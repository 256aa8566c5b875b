package popup

import (
	"regexp/syntax"
	"strings"
	"testing"
	"time"
)

func TestCompilePattern(t *testing.T) {
	for _, expr := range []string{"a", "^/cart(/|$)", "(?i)^pro", `^\d{4}-\d{2}$`, `[\p{Han}]+`, "a{250}", "(a|b|c){80}", "(?:(?:x{5}){5}){5}", strings.Repeat("a", MaxPattern), "(ab?){70}"} {
		if _, err := CompilePattern(expr); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
	for expr, want := range map[string]string{
		"":                                "1 to 256 bytes",
		"a\nb":                            "control characters",
		"(a":                              "missing closing )",
		`(a)\1`:                           "invalid escape sequence",
		"(?!a)":                           "invalid or unsupported Perl syntax",
		"a{1001}":                         "invalid repeat count",
		"(a{30}){30}":                     "too costly",
		"a{251}":                          "too costly",
		"(a|b){1,400}":                    "too costly",
		"((((((a{9}){9}){9}){9}){9}){9})": "", // package syntax or we: refused
		strings.Repeat(`\pL`, 9):          "too costly",
		strings.Repeat("a", MaxPattern+1): "1 to 256 bytes",
		"[^\x80]\xff":                     "1 to 256 bytes",
	} {
		start := time.Now()
		if _, err := CompilePattern(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", expr, err, want)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.40s: refused after %v", expr, took)
		}
	}
}

// FuzzCompilePattern: no program is larger than was counted before it was built.
func FuzzCompilePattern(f *testing.F) {
	for _, expr := range []string{"(a|bc|){3,}", "(?i)k{2,5}?x*", "((a+)+){9}", "$*$*", "", "()", "^$|\\b", "[^a-z]{0}", "(?s).{200}"} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		if _, err := CompilePattern(expr); err != nil {
			return
		}
		tree, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		most := instructions(tree) + 3 // fail, match and a jump
		program, err := syntax.Compile(tree.Simplify())
		if err != nil || len(program.Inst) > most {
			t.Fatalf("%q: a program of %d instructions, counted %d, %v", expr, len(program.Inst), most, err)
		}
	})
}
