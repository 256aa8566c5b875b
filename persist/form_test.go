package persist

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// form is a statement on one line without what differs each time: numbers are 1, texts 's',
// a list or a table of values has one, and of terms of an OR or a UNION that are alike there
// are at most three. Statements may be 1 MiB of values: they are read once.
func form(text string) string {
	var out []byte
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n':
			if len(out) > 0 && out[len(out)-1] != ' ' {
				out = append(out, ' ')
			}
			i++
		case strings.HasPrefix(text[i:], "-- "):
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case c == '\'':
			i += quoted(text[i:])
			out = append(bytes.TrimSuffix(bytes.TrimSuffix(out, []byte("x")), []byte("_binary")), "'s'"...)
		case '0' <= c && c <= '9':
			i += len(numberInSQL.FindString(text[i:min(len(text), i+40)]))
			if sign := len(out) - 1; sign > 0 && out[sign] == '-' && bytes.ContainsAny(out[sign-1:sign], "(,") {
				out = out[:sign]
			}
			out = append(out, '1')
		case c == ')':
			out = values(append(out, ')'))
			i++
		default:
			word := wordInSQL.FindString(text[i:min(len(text), i+80)])
			if word == "" {
				word = text[i : i+1]
			}
			i += len(word)
			out = append(out, aliasInSQL.ReplaceAllString(word, "p1")...)
		}
	}
	line := strings.TrimSpace(string(out))
	for _, separator := range []string{" OR ", " UNION ALL "} {
		line = strings.Join(slices.Compact(strings.Split(line, separator)), separator)
	}
	if set, ok := strings.CutPrefix(line, "SET "); ok && strings.Contains(set, "autocommit") { // the driver has them in a map
		line = "SET " + strings.Join(slices.Sorted(strings.SplitSeq(set, ", ")), ", ")
	}
	return line
}

var (
	numberInSQL = regexp.MustCompile(`^[0-9][0-9.]*(?:e[+-]?[0-9]+)?`)
	wordInSQL   = regexp.MustCompile("^(?:[A-Za-z_@][A-Za-z0-9_@.]*|`[^`]*`)")
	aliasInSQL  = regexp.MustCompile(`^p[0-9]+$`)
)

// quoted is how many bytes the text in quotes has that s begins with.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\', s[i] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case s[i] == '\'':
			return i + 1
		}
	}
	return len(s)
}

// values looks at the brackets that out ends with. If there are only values in them, each
// becomes 1 or ?; the list of an IN has one, and a row like the one before is left out.
func values(out []byte) []byte {
	open := bytes.LastIndexByte(out, '(')
	inside := strings.ReplaceAll(string(out[open+1:len(out)-1]), " ", "")
	row := strings.Split(strings.NewReplacer("NULL", "1", "'s'", "1").Replace(inside), ",")
	if slices.ContainsFunc(row, func(value string) bool { return value != "1" && value != "?" }) {
		return out
	}
	before := out[:open]
	if bytes.HasSuffix(before, []byte("IN ")) {
		row = row[:1]
	}
	tuple := "(" + strings.Join(row, ", ") + ")"
	if same := bytes.TrimRight(before, " "); bytes.HasSuffix(same, []byte(tuple+",")) {
		return same[:len(same)-1]
	}
	return append(before, tuple...)
}

func TestForm(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT a1,  `b 2`\n\tFROM t -- so\n WHERE c = 12 AND d <> x'00ff' AND e > 1.5e-3":     "SELECT a1, `b 2` FROM t WHERE c = 1 AND d <> 's' AND e > 1",
		`INSERT INTO t (a, b) VALUES (1,'it''s'),(-2,NULL), (3,_binary'\'')`:                   "INSERT INTO t (a, b) VALUES (1, 1)",
		"INSERT INTO t (a, b) VALUES (?,?),(?,?) ON DUPLICATE KEY UPDATE a = VALUES(a)":        "INSERT INTO t (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = VALUES(a)",
		"SELECT a FROM t WHERE a IN ('x','y') OR (a, b) IN ((1,2),(3,4))":                      "SELECT a FROM t WHERE a IN (1) OR (a, b) IN ((1, 1))",
		"DELETE FROM t WHERE a = 1 AND b = 2 OR a = 3 AND b = 4 OR a = 5 AND b = 6":            "DELETE FROM t WHERE a = 1 AND b = 1 OR a = 1 AND b = 1",
		"SELECT 1 FROM (SELECT 2) p7 UNION ALL SELECT 1 FROM (SELECT 2) p8":                    "SELECT 1 FROM (SELECT 1) p1",
		"SET sql_mode = 'a', autocommit = 1":                                                   "SET autocommit = 1, sql_mode = 's'",
		"SET @d = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE t ADD c INT DEFAULT ''a'''));": "SET @d = (SELECT IF(COUNT(*) > 1, 's', 's'));",
	} {
		if got := form(text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
