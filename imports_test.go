package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/popupd/popupd"

// mayImport is the architecture: which of our packages each of our packages
// may import. docs/architecture.md draws it.
var mayImport = map[string][]string{
	"popup":                {},
	"snapshot":             {"popup"},
	"snapshot/follow":      {"popup", "snapshot", "internal/failpoint"},
	"frequency":            {"popup", "internal/failpoint"},
	"queue":                {"popup", "queue/journal", "internal/failpoint"},
	"queue/journal":        {"popup", "internal/failpoint"},
	"persist":              {"popup", "internal/failpoint"},
	"decision":             {"popup", "snapshot", "frequency"},
	"handler":              {"popup", "snapshot", "frequency", "decision"},
	"console":              {"popup"},
	"console/api":          {"popup", "snapshot", "console"},
	"docs":                 {},
	"tuning":               {},
	"internal/cli":         {"handler", "internal/redisclient"},
	"internal/doctor":      {"persist", "tuning", "internal/cli", "internal/redisclient"},
	"internal/embedded":    {},
	"internal/redisclient": {"internal/embedded"},
	"internal/server":      {"popup", "snapshot", "snapshot/follow", "frequency", "handler", "queue", "queue/journal", "persist", "console", "console/api", "docs", "tuning", "internal/cli", "internal/datadir", "internal/netsock", "internal/redisclient", "internal/userstate"},
	"internal/userstate":   {"popup", "snapshot", "snapshot/follow", "frequency", "queue/journal", "persist"},
	"internal/datadir":     {},
	"internal/plainlog":    {},
	"internal/stores":      {},
	"internal/netsock":     {},
	"internal/failpoint":   {},
	"bench/rig":            {"internal/stores"},
}

// onlyIn says where a library may be used: everywhere else it is a leak.
var onlyIn = map[string][]string{
	"github.com/valyala/fasthttp":      {"handler", "bench/"},
	"github.com/redis/rueidis":         {"queue", "snapshot/follow", "internal/"},
	"github.com/go-sql-driver/mysql":   {"persist", "internal/"},
	"modernc.org/sqlite":               {"persist"},
	"database/sql":                     {"persist", "internal/"},
	"github.com/alicebob/miniredis/v2": {"internal/"},
	"github.com/fasthttp/router":       {"handler"},
	"github.com/pressly/goose/v3":      {"persist"},
	"github.com/dustin/go-humanize":    {"internal/cli"},
	"github.com/cespare/xxhash/v2":     {"snapshot"},
	"github.com/getkin/kin-openapi":    {"internal/apitest"},
	"pgregory.net/rapid":               {},
	"go.uber.org/goleak":               {"internal/storetest"},
	"github.com/google/go-cmp/cmp":     {},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		name := strings.TrimPrefix(strings.TrimPrefix(pkg.ImportPath, module), "/")
		allowed, listed := mayImport[name]
		for _, imported := range pkg.Imports {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok && listed && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, which it may not", name, ours)
			}
			for library, places := range onlyIn {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && !allowedIn(name, places) {
					t.Errorf("%s imports %s, which is kept to %q", name, imported, places)
				}
			}
		}
		if name == "popup" {
			for _, imported := range pkg.Imports {
				if strings.Contains(strings.Split(imported, "/")[0], ".") {
					t.Errorf("popup imports %s: it keeps to the standard library", imported)
				}
			}
		}
	}
	if seen < len(mayImport) {
		t.Errorf("go list knows %d packages, the table %d", seen, len(mayImport))
	}
}

// allowedIn reports whether a package is one of the places; a place that ends
// in a slash is a folder, the empty one is package main.
func allowedIn(name string, places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		return name == place || strings.HasSuffix(place, "/") && strings.HasPrefix(name, place)
	})
}
