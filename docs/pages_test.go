package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the top of the repository, seen from this package.
const root = ".."

// page is a Markdown file, split into what the checks look at.
type page struct {
	path  string // from the root
	lines []string
	code  []bool // the line is inside a fenced or indented block, or is its fence
}

// pages returns README.md, CHANGELOG.md, docs/*.md, bench/results/*.md and deploy/*.md.
func pages(t *testing.T) (all []page) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "bench/results/*.md", "deploy/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no pages in %s (%v)", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel(root, path)
			all = append(all, newPage(name, string(text)))
		}
	}
	return all
}

func newPage(path, text string) page {
	p := page{path: path, lines: strings.Split(text, "\n")}
	fenced := false
	for _, line := range p.lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		p.code = append(p.code, fenced || fence || strings.HasPrefix(line, "    "))
		fenced = fenced != fence
	}
	return p
}

var span = regexp.MustCompile("`([^`]+)`")

// snippets returns what the page says in code: inline spans, and lines of blocks.
func (p page) snippets() (all []string) {
	for i, line := range p.lines {
		if p.code[i] {
			all = append(all, strings.TrimSpace(line))
			continue
		}
		for _, match := range span.FindAllStringSubmatch(line, -1) {
			all = append(all, match[1])
		}
	}
	return all
}

var (
	heading = regexp.MustCompile(`^#{1,6} (.+)$`)
	image   = regexp.MustCompile(`!\[[^\]]*\]\([^)]*\)`)
	named   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// anchors returns the fragments by which GitHub knows the page's headings.
func (p page) anchors() (all []string) {
	for i, line := range p.lines {
		match := heading.FindStringSubmatch(line)
		if p.code[i] || match == nil {
			continue
		}
		text := named.ReplaceAllString(image.ReplaceAllString(match[1], ""), "$1")
		var anchor strings.Builder
		for _, r := range strings.ToLower(text) {
			switch {
			case r == ' ':
				anchor.WriteByte('-')
			case r == '-' || r == '_' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r > 127 && r != '…' && r != '–':
				anchor.WriteRune(r)
			}
		}
		all = append(all, anchor.String())
	}
	return all
}

// sources returns the files of the repository that end in a suffix.
func sources(t *testing.T, suffix string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, suffix) {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestPageReadsMarkdown(t *testing.T) {
	p := newPage("x.md", "# The `-data` page: it's here\n\ntext `a b` and `c`\n\n```sh\nmake test\n```\n\n    indented\n## [Link](a.md) two\n")
	if got, want := p.anchors(), []string{"the--data-page-its-here", "link-two"}; !slices.Equal(got, want) {
		t.Errorf("anchors %q, want %q", got, want)
	}
	if got, want := p.snippets(), []string{"-data", "a b", "c", "```sh", "make test", "```", "indented"}; !slices.Equal(got, want) {
		t.Errorf("snippets %q, want %q", got, want)
	}
}
