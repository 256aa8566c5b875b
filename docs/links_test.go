package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows every link within the repository, to the heading that it names.
func TestLinks(t *testing.T) {
	anchors := map[string][]string{}
	for _, p := range pages(t) {
		anchors[p.path] = p.anchors()
	}
	followed := 0
	for _, p := range pages(t) {
		for i, line := range p.lines {
			if p.code[i] {
				continue
			}
			for _, match := range link.FindAllStringSubmatch(line, -1) {
				target, fragment, _ := strings.Cut(match[1], "#")
				if strings.Contains(target, "://") {
					continue
				}
				followed++
				path := p.path
				if target != "" {
					path = filepath.Join(filepath.Dir(p.path), target)
				}
				if _, err := os.Stat(filepath.Join(root, path)); err != nil {
					t.Errorf("%s:%d: link to %s: %v", p.path, i+1, match[1], err)
				} else if fragment != "" && !slices.Contains(anchors[path], fragment) {
					t.Errorf("%s:%d: %s has no heading #%s", p.path, i+1, path, fragment)
				}
			}
		}
	}
	if followed < 30 {
		t.Errorf("%d links followed: are they read at all?", followed)
	}
}

// maxWidth is the longest line of a page in characters. Rows of tables and code
// cannot be wrapped.
const maxWidth = 160

func TestLinesAreWrapped(t *testing.T) {
	for _, p := range pages(t) {
		for i, line := range p.lines {
			if width := utf8.RuneCountInString(line); width > maxWidth && !p.code[i] && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d: %d characters, want at most %d", p.path, i+1, width, maxWidth)
			}
		}
	}
}
