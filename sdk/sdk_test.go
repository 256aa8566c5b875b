package sdk

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxGzipped bounds what a page has to load, in bytes.
const maxGzipped = 6500

func TestSize(t *testing.T) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(Script); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("popupd.js: %d bytes, %d gzipped", len(Script), b.Len())
	if b.Len() > maxGzipped {
		t.Errorf("popupd.js has %d bytes gzipped, want %d at most", b.Len(), maxGzipped)
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
