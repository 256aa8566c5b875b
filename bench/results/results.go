// Package results has the tables that the commands of bench have printed, each
// with its machine, versions, command and date, and writes them. What is measured,
// and how it is drawn, is the commands' own.
package results

import (
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// width is the longest line of a page in characters, as docs/links_test.go wants it.
const width = 160

// Write writes a page or a picture into dir. Long lines of a page are wrapped.
func Write(dir, name, text string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if filepath.Ext(name) == ".md" {
		text = wrap(text)
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// wrap breaks lines of prose, which rows of tables are not, at spaces outside of code.
func wrap(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			out.WriteString(line)
			continue
		}
		indent := ""
		if strings.HasPrefix(line, "- ") {
			indent = "  "
		}
		for utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > width {
			end := lineEnd(line, len(indent))
			if end == 0 {
				break
			}
			out.WriteString(line[:end] + "\n")
			line = indent + line[end+1:]
		}
		out.WriteString(line)
	}
	return out.String()
}

// lineEnd returns the last space within the width that is behind the indent and
// not in code, else the first one after that, else 0.
func lineEnd(line string, indent int) (at int) {
	code, column := false, 0
	for i, r := range line {
		if column++; column > width+1 && at > 0 {
			break
		}
		switch {
		case r == '`':
			code = !code
		case r == ' ' && !code && i >= indent:
			at = i
		}
	}
	return at
}
