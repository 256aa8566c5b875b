package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "github.com/popupd/popupd"
	document = "docs/architecture.md"
)

var update = flag.Bool("update", false, "draw the table of packages in "+document+" anew")

// imports is the architecture: which of our packages each of our packages is
// built on. Packages of tests and benchmarks stand at the end.
var imports = map[string][]string{
	"popup":            {},
	"audience":         {"internal/siphash", "popup"},
	"snapshot":         {"audience", "popup"},
	"snapshot/lint":    {"popup", "snapshot"},
	"snapshot/follow":  {"audience", "internal/durable", "internal/failpoint", "internal/retry", "internal/tracing", "popup", "snapshot"},
	"frequency":        {"internal/durable", "internal/failpoint", "internal/siphash", "popup"},
	"decision":         {"frequency", "popup", "snapshot"},
	"handler":          {"decision", "frequency", "internal/netsock", "internal/retry", "internal/sample", "internal/tracing", "popup", "sdk", "snapshot"},
	"queue":            {"internal/failpoint", "internal/retry", "popup", "queue/journal"},
	"queue/journal":    {"internal/failpoint", "internal/retry", "popup"},
	"persist":          {"internal/experiment", "internal/failpoint", "internal/popuplist", "internal/retry", "internal/tracing", "popup", "tuning"},
	"console":          {"internal/tracing", "popup"},
	"console/api":      {"audience", "console", "decision", "internal/experiment", "internal/popuplist", "popup", "snapshot", "snapshot/lint"},
	"console/live":     {"console", "internal/retry", "popup", "tuning"},
	"console/oidc":     {"console", "internal/retry", "popup"},
	"console/sessions": {"internal/retry", "popup"},
	"console/tokens":   {"internal/retry", "popup"},
	"console/web":      {"console", "popup", "sdk"},
	"docs":             {},
	"sdk":              {},
	"tuning":           {},

	"":                     {"internal/cli", "internal/doctor", "internal/explain", "internal/plainlog", "internal/plan", "internal/popups", "internal/server", "internal/systemd"},
	"internal/cli":         {"console/oidc", "handler", "internal/notice", "internal/redisclient", "popup"},
	"internal/configfile":  {"popup"},
	"internal/datadir":     {"internal/durable"},
	"internal/doctor":      {"internal/cli", "internal/redisclient", "persist", "tuning"},
	"internal/durable":     {},
	"internal/embedded":    {},
	"internal/experiment":  {"popup"},
	"internal/explain":     {"internal/cli", "popup"},
	"internal/failpoint":   {},
	"internal/netsock":     {},
	"internal/notice":      {"internal/retry", "internal/tracing", "popup"},
	"internal/plainlog":    {},
	"internal/plan":        {"internal/cli"},
	"internal/popuplist":   {"popup"},
	"internal/popups":      {"internal/cli", "internal/configfile", "popup"},
	"internal/redisclient": {"internal/embedded", "internal/retry"},
	"internal/retry":       {},
	"internal/sample":      {"decision", "frequency", "internal/durable", "internal/retry", "popup", "snapshot"},
	"internal/server": {
		"console", "console/api", "console/live", "console/oidc", "console/sessions", "console/tokens", "console/web", "decision", "docs", "frequency", "handler", "internal/cli", "internal/datadir", "internal/doctor", "internal/netsock", "internal/notice", "internal/popuplist",
		"internal/redisclient", "internal/retry", "internal/sample", "internal/systemd", "internal/tracing", "internal/userstate", "persist", "popup", "queue", "queue/journal", "sdk", "snapshot", "snapshot/follow", "tuning",
	},
	"internal/siphash":   {},
	"internal/systemd":   {},
	"internal/tracing":   {"internal/retry"},
	"internal/userstate": {"frequency", "internal/retry", "persist", "popup", "queue/journal", "snapshot", "snapshot/follow"},

	"bench":                {},
	"bench/audience":       {"internal/testbed"},
	"bench/changes":        {"bench/openloop", "bench/results", "internal/testbed"},
	"bench/console":        {"bench/results", "internal/testbed"},
	"bench/dashboard":      {"bench/openloop", "bench/plot", "internal/testbed"},
	"bench/experiments":    {"bench/plot", "bench/results", "internal/experiment", "internal/testbed"},
	"bench/growth":         {"bench/results", "internal/testbed"},
	"bench/ladder":         {"bench/plot", "bench/results", "internal/testbed"},
	"bench/load":           {"bench/openloop", "bench/plot", "bench/results", "internal/testbed"},
	"bench/openloop":       {},
	"bench/plot":           {},
	"bench/results":        {},
	"bench/scope":          {"bench/results", "internal/testbed"},
	"bench/start":          {"bench/results", "internal/testbed"},
	"bench/timewait":       {"bench/plot", "bench/results", "internal/testbed"},
	"bench/wrk":            {"bench/results", "internal/testbed"},
	"deploy":               {},
	"docs/clients":         {},
	"e2e":                  {},
	"internal/apitest":     {"docs"},
	"internal/catalogtest": {"popup"},
	"internal/storetest":   {"internal/testbed"},
	"internal/testbed":     {},
}

// onlyIn says where a library may be used: everywhere else it is a leak.
var onlyIn = map[string][]string{
	"github.com/valyala/fasthttp":              {"handler", "bench/"},
	"github.com/redis/rueidis":                 {"queue", "snapshot/follow", "internal/"},
	"github.com/go-sql-driver/mysql":           {"persist", "internal/"},
	"modernc.org/sqlite":                       {"persist"},
	"database/sql":                             {"persist", "internal/"},
	"golang.org/x/net/idna":                    {"handler"},
	"golang.org/x/text/language":               {"console/web"},
	"github.com/coreos/go-oidc/v3":             {"console/oidc"},
	"golang.org/x/oauth2":                      {"console/oidc"},
	"github.com/alicebob/miniredis/v2":         {"internal/embedded"},
	"github.com/fasthttp/router":               {"handler"},
	"github.com/pressly/goose/v3":              {"persist"},
	"github.com/dustin/go-humanize":            {"internal/cli"},
	"github.com/cespare/xxhash/v2":             {"snapshot"},
	"github.com/getkin/kin-openapi":            {"internal/apitest"},
	"go.yaml.in/yaml/v4":                       {"internal/configfile"},
	"go.opentelemetry.io":                      {"internal/tracing"},
	"google.golang.org":                        {"internal/tracing"},
	"gonum.org/v1/gonum":                       {},
	"pgregory.net/rapid":                       {},
	"github.com/santhosh-tekuri/jsonschema/v6": {},
	"go.uber.org/goleak":                       {"internal/storetest"},
	"github.com/google/go-cmp/cmp":             {},
}

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Doc        string // first sentence of the package comment
	Imports    []string
	GoFiles    []string
}

// TestImports holds the packages against the table above, and the table in
// docs/architecture.md against both.
func TestImports(t *testing.T) {
	packages := goList(t)
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		pkg := packages[name]
		allowed, ok := imports[name]
		if !ok {
			t.Errorf("%q is not in the table: give it a row that says what it may import", name)
		}
		if pkg.Doc == "" && len(pkg.GoFiles) > 0 {
			t.Errorf("%q has no package comment", name)
		}
		var ours []string
		for _, imported := range pkg.Imports {
			if rest, ok := strings.CutPrefix(imported, module+"/"); ok {
				rest, _, _ = strings.Cut(rest, " ") // of a package that is compiled with a profile
				ours = append(ours, rest)
			}
			checkLibrary(t, name, imported)
		}
		if slices.Sort(ours); !slices.Equal(ours, allowed) {
			t.Errorf("%q imports %v, the table says %v", name, ours, allowed)
		}
	}
	for name := range imports {
		if _, ok := packages[name]; !ok {
			t.Errorf("%q is in the table, but no package", name)
		}
	}
	if !t.Failed() {
		checkDrawing(t, draw(packages))
	}
}

// goList returns the packages of this module by their path in it.
func goList(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := make(map[string]listed)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg listed
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[strings.TrimPrefix(strings.TrimPrefix(pkg.ImportPath, module), "/")] = pkg
	}
}

func checkLibrary(t *testing.T, name, imported string) {
	t.Helper()
	for library, places := range onlyIn {
		if (imported == library || strings.HasPrefix(imported, library+"/")) && !allowedIn(name, places) {
			t.Errorf("%q imports %s, which is kept to %q", name, imported, places)
		}
	}
	if first, _, _ := strings.Cut(imported, "/"); name == "popup" && strings.Contains(first, ".") {
		t.Errorf("popup imports %s: it keeps to the standard library", imported)
	}
}

// allowedIn reports whether a package is one of the places; a place that ends
// in a slash is a folder.
func allowedIn(name string, places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		return name == place || strings.HasSuffix(place, "/") && strings.HasPrefix(name, place)
	})
}

// The markers of the drawing in the document.
const (
	drawingBegins = "<!-- imports: drawn by go test -run TestImports . -update -->\n"
	drawingEnds   = "<!-- /imports -->\n"
)

// draw returns the packages as a table, those first that are built on most others.
func draw(packages map[string]listed) string {
	names := slices.Collect(maps.Keys(packages))
	slices.SortFunc(names, func(a, b string) int {
		if d := layer(b) - layer(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var b strings.Builder
	b.WriteString("| layer | package | what lives there | built on |\n|---:|---|---|---|\n")
	for _, name := range names {
		if strings.HasPrefix(name, "bench") || name == "e2e" {
			continue
		}
		title := name
		if name == "" {
			title = "main"
		}
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", layer(name), title, summary(packages[name].Doc), strings.Join(imports[name], ", "))
	}
	return b.String()
}

// summary returns the first sentence of a package comment without its subject.
func summary(doc string) string {
	words := strings.SplitN(doc, " ", 3) // Package or Command, and its name
	what := strings.TrimPrefix(words[len(words)-1], "is ")
	return strings.NewReplacer("[", "", "]", "").Replace(strings.TrimRight(what, ".:"))
}

// layer returns how many packages of ours stand below a package, one on another.
func layer(name string) (n int) {
	for _, below := range imports[name] {
		n = max(n, layer(below)+1)
	}
	return n
}

// checkDrawing compares the table in the document with the one drawn, or replaces
// it with -update.
func checkDrawing(t *testing.T, want string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), drawingBegins)
	got, after, ends := strings.Cut(rest, drawingEnds)
	switch {
	case !begins || !ends:
		t.Errorf("%s has no table between %q and %q", document, drawingBegins, drawingEnds)
	case got != want && *update:
		if err := os.WriteFile(document, []byte(before+drawingBegins+want+drawingEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case got != want:
		t.Errorf("the table in %s is not that of the code: go test -run TestImports . -update", document)
	}
}
