package docs_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	testName = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-Z]\w*$`)
	// Files and packages of the repository, named from its root.
	sourcePath = regexp.MustCompile(`^[a-z0-9_.]+(/[A-Za-z0-9_.-]+)*$`)
	target     = regexp.MustCompile(`\bmake ([a-z-]+)`)
	targetRule = regexp.MustCompile(`(?m)^([a-z-]+):`)
	flagRow    = regexp.MustCompile("^\\| `(-[a-z0-9-]+)` \\|")
	flagName   = regexp.MustCompile(`^-[a-z][a-z0-9-]+`)
	call       = regexp.MustCompile(`(?:^|\s|\./)popupd((?: +[^\s<>|&;#]+)+)`) // up to what the shell reads itself
	variable   = regexp.MustCompile(`\bPOPUPD_[A-Z_]*[A-Z]`)
	metric     = regexp.MustCompile(`\bpopupd_[a-z_]*[a-z]`)
	quoted     = regexp.MustCompile(`"([^"]+)"`)
)

// tests returns the tests, fuzz targets and benchmarks of the repository, by file.
func tests(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range sources(t, "_test.go") {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range declared.FindAllSubmatch(source, -1) {
			all[string(match[1])] = path
		}
	}
	return all
}

func TestNamedTestsExist(t *testing.T) {
	there := tests(t)
	onPage := map[string]map[string]bool{}
	for _, p := range pages(t) {
		onPage[p.path] = map[string]bool{}
		for _, s := range p.snippets() {
			if !testName.MatchString(s) {
				continue
			}
			onPage[p.path][s] = true
			if there[s] == "" {
				t.Errorf("%s names %s, which does not exist", p.path, s)
			}
		}
	}
	for _, path := range []string{"docs/reliability.md", "docs/security.md"} {
		if n := len(onPage[path]); n < 50 {
			t.Errorf("%s names %d tests: are they read at all?", path, n)
		}
	}
	for name, path := range there {
		inServer := !strings.HasPrefix(path, filepath.Join(root, "bench")+"/")
		if inServer && strings.HasPrefix(name, "Fuzz") && !onPage["docs/security.md"][name] {
			t.Errorf("docs/security.md does not name %s", name)
		}
	}
}

// TestNamedFilesExist looks for the files and packages that pages name in code,
// from the root of the repository or from the page.
func TestNamedFilesExist(t *testing.T) {
	looked := 0
	for _, p := range pages(t) {
		for _, s := range p.snippets() {
			s = strings.TrimPrefix(s, "./")
			first, _, nested := strings.Cut(s, "/")
			if !sourcePath.MatchString(s) {
				continue
			}
			isSource := slices.Contains([]string{".go", ".md", ".svg", ".yaml", ".lua", ".pgo"}, filepath.Ext(s))
			if !isSource && !(nested && isDir(filepath.Join(root, first))) {
				continue
			}
			looked++
			_, errRoot := os.Stat(filepath.Join(root, s))
			_, errPage := os.Stat(filepath.Join(root, filepath.Dir(p.path), s))
			if errRoot != nil && errPage != nil {
				t.Errorf("%s names %s, which does not exist", p.path, s)
			}
		}
	}
	if looked < 20 {
		t.Errorf("%d files looked for: are they read at all?", looked)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func TestNamedMakeTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, match := range targetRule.FindAllSubmatch(makefile, -1) {
		rules[string(match[1])] = true
	}
	seen := 0
	for _, p := range pages(t) {
		for _, s := range p.snippets() {
			for _, match := range target.FindAllStringSubmatch(s, -1) {
				seen++
				if !rules[match[1]] {
					t.Errorf("%s names make %s, which does not exist", p.path, match[1])
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d targets seen: are they read at all?", seen)
	}
}

// flags returns the flags of configuration.md, which internal/cli holds against the code.
func flags(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, p := range pages(t) {
		for _, line := range p.lines {
			if match := flagRow.FindStringSubmatch(line); p.path == "docs/configuration.md" && match != nil {
				all[match[1]] = true
			}
		}
	}
	if len(all) < 20 {
		t.Fatalf("docs/configuration.md lists %d flags: is its table read at all?", len(all))
	}
	return all
}

func TestNamedFlagsExist(t *testing.T) {
	known := flags(t)
	for _, p := range pages(t) {
		if strings.HasPrefix(p.path, "bench/results/") { // whose tools have flags of their own
			continue
		}
		for _, s := range p.snippets() {
			names := []string{flagName.FindString(s)}
			for _, match := range call.FindAllStringSubmatch(s, -1) {
				for word := range strings.FieldsSeq(match[1]) {
					names = append(names, flagName.FindString(word))
				}
			}
			for _, name := range names {
				if name != "" && name != "-help" && !known[name] {
					t.Errorf("%s names the flag %s, which does not exist: %s", p.path, name, s)
				}
			}
		}
	}
	ofTests := readAll(t, "_test.go", "Makefile")
	for _, p := range pages(t) {
		for _, line := range p.lines {
			for _, name := range variable.FindAllString(line, -1) {
				ofFlag := "-" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "POPUPD_")), "_", "-")
				if !known[ofFlag] && !strings.Contains(ofTests, name) {
					t.Errorf("%s names the variable %s, which does not exist", p.path, name)
				}
			}
		}
	}
}

// Names that look like metrics: a parameter in the address of a page that shows a preview, and
// the cookie of a session.
const pageParameter, sessionCookie = "popupd_preview", "popupd_session"

// TestNamedMetricsExist holds pages against the metrics of operations.md, which
// e2e holds against a running server.
func TestNamedMetricsExist(t *testing.T) {
	known := map[string]bool{}
	all := map[string][]string{}
	for _, p := range pages(t) {
		for _, line := range p.lines {
			name := metric.FindString(line)
			if p.path == "docs/operations.md" && strings.HasPrefix(line, "| `"+name) && name != "" {
				known[name] = true
				line = strings.TrimPrefix(line, "| `"+name)
			}
			all[p.path] = append(all[p.path], metric.FindAllString(line, -1)...)
		}
	}
	if len(known) < 30 {
		t.Fatalf("docs/operations.md lists %d metrics: is its table read at all?", len(known))
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		for _, name := range all[path] {
			base := name
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !known[base] && name != pageParameter && name != sessionCookie {
				t.Errorf("%s names the metric %s, which does not exist", path, name)
			}
		}
	}
}

// readAll returns the text of all files that end in one of the suffixes.
func readAll(t *testing.T, suffixes ...string) string {
	t.Helper()
	var all strings.Builder
	for _, suffix := range suffixes {
		for _, path := range sources(t, suffix) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

// TestNamedFaultsExist holds the faults that reliability.md quotes against the rows of
// the last full run. One with … stands for several.
func TestNamedFaultsExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "bench/results/chaos.md"))
	if err != nil {
		t.Fatal(err)
	}
	run := string(text)
	seen := 0
	for _, p := range pages(t) {
		if p.path != "docs/reliability.md" {
			continue
		}
		inTable := false
		for _, line := range p.lines {
			inTable = strings.HasPrefix(line, "| fault |") || inTable && strings.HasPrefix(line, "|")
			if !inTable {
				continue
			}
			for _, match := range quoted.FindAllStringSubmatch(line, -1) {
				seen++
				if name := match[1]; !strings.Contains(name, "…") && !strings.Contains(run, "| "+name+" |") {
					t.Errorf("docs/reliability.md names the fault %q, which chaos.md has not", name)
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("%d faults seen: are they read at all?", seen)
	}
}
