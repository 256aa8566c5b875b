package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOldestMariaDB: wherever a version of MariaDB is named, it is the one that popupd is run on
// and that popupd doctor asks for.
func TestOldestMariaDB(t *testing.T) {
	version := regexp.MustCompile(`MariaDB (1\d\.\d+)`)
	texts := map[string]string{}
	for _, path := range []string{"persist/errors.go", "persist/session.go", "tuning/checks_stores.go"} {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	for _, p := range pages(t) {
		texts[p.path] = strings.Join(p.lines, "\n")
	}
	named := 0
	for path, text := range texts {
		for _, match := range version.FindAllStringSubmatch(text, -1) {
			named++
			if match[1] != "10.11" {
				t.Errorf("%s: %s, want 10.11", path, match[0])
			}
		}
	}
	if named < 5 {
		t.Errorf("MariaDB has a version in %d places: are they read at all?", named)
	}
}

// TestUpgradeNamesSchema: what docs/operations.md says of an upgrade is of the newest schema, and
// names every table that the schema has and number 11 had not.
func TestUpgradeNamesSchema(t *testing.T) {
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Upgrade\n")
	section, _, _ = strings.Cut(section, "\n### ")
	paths, err := filepath.Glob(filepath.Join(root, "persist/migrations/mysql/*.sql"))
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d migrations, %v", len(paths), err)
	}
	table := regexp.MustCompile(`(?m)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	for _, path := range paths {
		if number, _, _ := strings.Cut(filepath.Base(path), "_"); number <= "00011" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range table.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(section, "`"+match[1]+"`") {
				t.Errorf("operations.md does not say that an upgrade adds the table %s", match[1])
			}
		}
	}
	number, _, _ := strings.Cut(filepath.Base(paths[len(paths)-1]), "_")
	if want := "Number " + strings.TrimLeft(number, "0") + ","; !strings.Contains(section, want) {
		t.Errorf("operations.md does not say %q of an upgrade", want)
	}
}
