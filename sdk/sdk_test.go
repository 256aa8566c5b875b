package sdk

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxGzipped bounds what a page has to load, in bytes.
const maxGzipped = 6144

func TestSize(t *testing.T) {
	mock, err := os.ReadFile("popupd.mock.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]struct {
		content []byte
		max     int
	}{"popupd.js": {Script, maxGzipped}, "popupd.mock.mjs": {mock, 1024}} {
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(file.content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d gzipped", name, len(file.content), b.Len())
		if b.Len() > file.max {
			t.Errorf("%s has %d bytes gzipped, want %d at most", name, b.Len(), file.max)
		}
	}
}

// TestPrivateNames: no member that a page sees gets a short name.
func TestPrivateNames(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^PRIVATE = (\S+)$`).FindSubmatch(makefile)
	if found == nil {
		t.Fatal("no PRIVATE in the Makefile")
	}
	member := regexp.MustCompile(`\b(` + string(found[1]) + `)\??[:(<]`)
	if seen := member.FindAllString(string(Types), -1); seen != nil {
		t.Errorf("popupd.d.ts has private members %q", seen)
	}
}

// TestVersion: the script names the version of the package.
func TestVersion(t *testing.T) {
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Version string }
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(Script), `"`+p.Version+`"`) {
		t.Errorf("popupd.js does not name version %q", p.Version)
	}
}

// TestBundles: what is committed is what the source gives.
func TestBundles(t *testing.T) {
	if testing.Short() {
		t.Skip("builds esbuild")
	}
	dir := t.TempDir()
	command(t, "make", "-s", "-C", "..", "sdk", "SDK="+dir)
	for _, name := range []string{"popupd.js", "popupd.mjs", "popupd.mock.mjs"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the source gives (%v): make sdk", name, err)
		}
	}
}

// TestTypes: the source keeps its types, and those that pages see.
func TestTypes(t *testing.T) {
	node(t, "node_modules/typescript/bin/tsc", "-p", ".")
}

// TestPackage: bundlers and type checkers can use what npm pack gives.
func TestPackage(t *testing.T) {
	node(t, "node_modules/publint/src/cli.js", "--strict")
	node(t, "node_modules/@arethetypeswrong/cli/dist/index.js", "--pack", ".", "--profile", "esm-only", "--no-emoji")
}

// TestWithoutPage: a server that renders pages can import the package and make a client,
// which does nothing and ends nothing.
func TestWithoutPage(t *testing.T) {
	node(t, "--input-type=module", "--eval", `
		import { init } from "./popupd.mjs";
		const client = init({ endpoint: "https://popups.example" });
		client.start();
		client.refresh();
		client.trigger("cart");
		client.identify("u", { attributes: { plan: "pro" } });
		client.track("signup");
		client.convert();
		client.on("show", () => {})();
		client.destroy();`)
}

// node runs Node.js, if it and the packages that package.json names are installed.
func node(t *testing.T, args ...string) {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("node_modules")
	}
	if err != nil {
		if os.Getenv("POPUPD_REQUIRE_STORES") == "1" && !testing.Short() {
			t.Fatalf("%v: make sdk-tools", err)
		}
		t.Skipf("%v: make sdk-tools", err)
	}
	command(t, "node", args...)
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
