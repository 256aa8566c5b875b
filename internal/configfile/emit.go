package configfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The YAML that is written has one form for each value, which does not depend on a library's
// release: a file changes only where the configuration does. It is also read as the same by
// libraries of YAML 1.1, for which no and 1:30 are no texts.

const (
	maxFlow = 80   // characters of a list on one line
	maxName = 1000 // of a name that stands before its colon; YAML allows 1024
)

// appendYAML appends a value that stands after a name or a dash, and the end of its line.
func (v *value) appendYAML(dst []byte, indent int) []byte {
	if flow, ok := v.flow(); ok {
		return append(append(append(dst, ' '), flow...), '\n')
	}
	if v.kind == scalar {
		return appendLiteral(dst, v.text(), indent)
	}
	return v.appendBlock(append(dst, '\n'), indent)
}

// appendBlock appends a list or an object that is not empty, each member on lines of its own.
func (v *value) appendBlock(dst []byte, indent int) []byte {
	for _, m := range v.members {
		dst = append(dst, strings.Repeat(" ", indent)...)
		dst = m.appendYAML(dst, v.kind, indent)
	}
	return dst
}

// appendYAML appends a member, whose line is indented already.
func (m *member) appendYAML(dst []byte, of kind, indent int) []byte {
	if of == object {
		name := textYAML(m.name, false)
		if utf8.RuneCountInString(name) > maxName {
			dst = append(append(dst, "? "...), name...)
			dst = append(append(append(dst, '\n'), strings.Repeat(" ", indent)...), ':')
		} else {
			dst = append(append(dst, name...), ':')
		}
		return m.value.appendYAML(dst, indent+2)
	}
	dst = append(dst, '-')
	if _, ok := m.value.flow(); ok || m.value.kind == scalar {
		return m.value.appendYAML(dst, indent+2)
	}
	// The first member stands beside the dash.
	block := m.value.appendBlock(nil, indent+2)
	return append(append(dst, ' '), block[indent+2:]...)
}

// flow returns a value on one line: a scalar but for a text of several lines, what is empty,
// and a short list of scalars or of such lists.
func (v *value) flow() (text string, ok bool) {
	switch {
	case v.kind == scalar:
		if text, isText := v.string(); isText {
			return textYAML(text, false), !isLiteral(text)
		}
		return string(v.json), true
	case v.kind == object:
		return "{}", len(v.members) == 0
	}
	parts := make([]string, len(v.members))
	for i, m := range v.members {
		switch e := m.value; e.kind {
		case scalar:
			parts[i] = string(e.json)
			if text, isText := e.string(); isText {
				parts[i] = textYAML(text, true)
			}
		case list:
			if parts[i], ok = e.flow(); !ok {
				return "", false
			}
		default:
			return "", false
		}
	}
	text = "[" + strings.Join(parts, ", ") + "]"
	return text, len(parts) == 0 || utf8.RuneCountInString(text) <= maxFlow
}

// string returns what a text says, and whether it is one.
func (v *value) string() (text string, ok bool) {
	return v.text(), v.kind == scalar && bytes.HasPrefix(v.json, []byte(`"`))
}

// textYAML returns a text as YAML on one line. inList is whether it stands between brackets.
func textYAML(text string, inList bool) string {
	if isPlain(text) && !(inList && strings.ContainsAny(text, ",[]{}")) {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string is always fit to be JSON, which YAML takes but for these:
	var out strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if r != ' ' && !unicode.IsPrint(r) && r <= 0xffff {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// isPlain reports whether a text needs no quotes, in any version of YAML.
func isPlain(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	if !unicode.IsLetter(first) || strings.HasSuffix(text, ":") || strings.HasSuffix(text, " ") ||
		strings.Contains(text, ": ") || strings.Contains(text, " #") {
		return false
	}
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return isPrintable(text)
}

func isPrintable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) < 0
}

// isLiteral reports whether a text is written as a block of lines: several, which lose
// nothing where an editor takes spaces off their ends.
func isLiteral(text string) bool {
	body := strings.TrimSuffix(text, "\n")
	if !strings.Contains(text, "\n") || body == "" || strings.HasSuffix(body, "\n") || strings.HasPrefix(body, "\n") || strings.HasPrefix(body, " ") {
		return false
	}
	for line := range strings.SplitSeq(body, "\n") {
		if strings.HasSuffix(line, " ") || !isPrintable(line) {
			return false
		}
	}
	return true
}

// appendLiteral appends a text for which isLiteral holds.
func appendLiteral(dst []byte, text string, indent int) []byte {
	dst = append(dst, " |"...)
	body, isWhole := strings.CutSuffix(text, "\n")
	if !isWhole {
		dst = append(dst, '-')
	}
	dst = append(dst, '\n')
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			dst = append(dst, strings.Repeat(" ", indent)...)
			dst = append(dst, line...)
		}
		dst = append(dst, '\n')
	}
	return dst
}
