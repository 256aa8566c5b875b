// Package release holds the file of a release to GoReleaser's own reader. It is a module of its own
// beside kit, since GoReleaser and Helm want other versions of the same libraries.
package release

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

// TestRelease: GoReleaser takes the file, refuses a field that it does not know, builds what is
// static, and every file that archives are to have is there.
func TestRelease(t *testing.T) {
	const file = "../../goreleaser.yaml"
	release, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	misspelt := strings.Replace(string(text), "\narchives:", "\narchive:", 1)
	if _, err := config.LoadReader(strings.NewReader(misspelt)); err == nil || !strings.Contains(err.Error(), "field archive not found") {
		t.Errorf("a field that is misspelt: %v", err)
	}
	if len(release.Builds) != 1 || !slices.Equal(release.Builds[0].Env, []string{"CGO_ENABLED=0"}) {
		t.Errorf("builds are not static: %v", release.Builds)
	}
	if !slices.ContainsFunc(release.Archives[0].Files, func(f config.File) bool { return f.Source == "docs/*.md" }) {
		t.Error("archives are without the documents")
	}
	for _, f := range release.Archives[0].Files {
		if found, err := filepath.Glob(filepath.Join("../../..", strings.Replace(f.Source, "/**", "", 1))); err != nil || len(found) == 0 {
			t.Errorf("no file %s (%v)", f.Source, err)
		}
	}
}
