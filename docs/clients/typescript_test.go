package clients

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const modules = "typescript/node_modules"

// installed skips the test if node or what package.json names is missing.
func installed(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(modules)
	}
	if err == nil {
		return
	}
	why := fmt.Sprintf("%v: apt-get install nodejs npm; npm ci --prefix docs/clients/typescript", err)
	if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// node runs a program of the npm packages with a copy of the TypeScript program.
func node(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(modules, program))
	if err != nil {
		t.Fatal(err)
	}
	command(t, dir, "node", append([]string{script}, args...)...)
}

func TestOpenapiTypescript(t *testing.T) {
	installed(t)
	p := start(t)
	dir := copyOf(t, "typescript")
	absolute, err := filepath.Abs(modules)
	if err := errors.Join(err, os.Symlink(absolute, filepath.Join(dir, "node_modules"))); err != nil {
		t.Fatal(err)
	}
	node(t, dir, "openapi-typescript/bin/cli.js", "../../openapi.yaml", "--output", "popupd.d.ts")
	node(t, dir, "typescript/bin/tsc")
	command(t, dir, "node", append([]string{"out/main.js"}, p.args()...)...)
	p.calledAll(t)
}

// TestRedocly: the document keeps the recommended rules.
func TestRedocly(t *testing.T) {
	installed(t)
	dir := copyOf(t, "typescript")
	node(t, dir, "@redocly/cli/bin/cli.js", "lint", "--extends", "recommended", "--max-problems", "20", "../../openapi.yaml")
}
