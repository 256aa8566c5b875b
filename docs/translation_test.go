package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	shellComment = regexp.MustCompile(`(^|\s)#.*$`)
	figure       = regexp.MustCompile(`\d+(?:[.,]\d+)*`)
	angleLink    = regexp.MustCompile(`<(https?://[^>]+)>`)
)

// section is what two languages of a page must have in common below one heading: its level,
// what is in code, the figures and where links lead.
type section struct {
	level          int
	code, said, to []string
}

// sections splits a page at its headings.
func (p page) sections() (all []section) {
	all = append(all, section{})
	for i, line := range p.lines {
		s := &all[len(all)-1]
		switch {
		case p.code[i]:
			if command := strings.TrimSpace(shellComment.ReplaceAllString(line, "")); command != "" {
				s.code = append(s.code, command)
			}
			continue
		case strings.HasPrefix(line, "#"):
			all = append(all, section{level: strings.Index(line, " ")})
			continue
		case strings.HasPrefix(line, "|"):
			s.said = append(s.said, "a row")
		}
		for _, match := range link.FindAllStringSubmatch(line, -1) {
			s.to = append(s.to, match[1])
		}
		for _, match := range angleLink.FindAllStringSubmatch(line, -1) {
			s.to = append(s.to, match[1])
		}
		line = angleLink.ReplaceAllString(link.ReplaceAllString(line, "]"), "")
		for _, match := range span.FindAllStringSubmatch(line, -1) {
			s.code = append(s.code, match[1])
		}
		s.said = append(s.said, figure.FindAllString(span.ReplaceAllString(line, ""), -1)...)
	}
	return all
}

// TestChineseReadme: README.zh-CN.md has the commands, the figures, the links and the rows of
// README.md, heading by heading.
func TestChineseReadme(t *testing.T) {
	read := func(name, other string) []section {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return newPage(name, strings.Replace(string(text), "("+other+")", "(the other language)", 1)).sections()
	}
	english, chinese := read("README.md", "README.zh-CN.md"), read("README.zh-CN.md", "README.md")
	if len(english) != len(chinese) {
		t.Fatalf("%d headings, README.md has %d", len(chinese)-1, len(english)-1)
	}
	for i, want := range english {
		got := chinese[i]
		if got.level != want.level {
			t.Errorf("heading %d is of level %d, in README.md %d", i, got.level, want.level)
		}
		for _, c := range []struct {
			what      string
			got, want []string
		}{{"code", got.code, want.code}, {"figures and rows", got.said, want.said}, {"links", got.to, want.to}} {
			missing, more := lacks(c.got, c.want), lacks(c.want, c.got)
			if len(missing)+len(more) > 0 {
				t.Errorf("below heading %d, %s: README.zh-CN.md lacks %q and has beside them %q", i, c.what, missing, more)
			}
		}
	}
}

// lacks returns what is in all and not in some, as often as it is missing.
func lacks(some, all []string) (missing []string) {
	some = slices.Clone(some)
	for _, s := range all {
		if i := slices.Index(some, s); i >= 0 {
			some = slices.Delete(some, i, i+1)
		} else {
			missing = append(missing, s)
		}
	}
	return missing
}
