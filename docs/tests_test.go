package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNamedTestsExist: a page that names a test as the cover of a threat or a fault must
// not outlive it, and no fuzz target is missing from the list of parsers.
func TestNamedTestsExist(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	there := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range declared.FindAllSubmatch(source, -1) {
			name := string(match[1])
			there[name] = there[name] || !strings.HasPrefix(path, "../bench/") // which serves nobody
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{} // on security.md
	for _, page := range []string{"reliability.md", "security.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		names = map[string]bool{}
		for _, match := range named.FindAllSubmatch(text, -1) {
			names[string(match[1])] = true
		}
		if len(names) < 50 {
			t.Errorf("%s names %d tests: are they read at all?", page, len(names))
		}
		for name := range names {
			if _, ok := there[name]; !ok {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
	}
	for name, serves := range there {
		if serves && strings.HasPrefix(name, "Fuzz") && !names[name] {
			t.Errorf("security.md does not name %s", name)
		}
	}
}
