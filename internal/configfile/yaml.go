package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a YAML file may unfold to: an alias stands for a copy of what its anchor is.
const (
	maxLevels = 64      // of lists and objects, more than any popup may have
	maxValues = 200_000 // in one document, which is one object
	maxText   = 2 << 20 // bytes of the texts of one document
)

// yamlReader turns the nodes of one document into values.
type yamlReader struct {
	refuse func(m mark, format string, args ...any)
	open   map[*yaml.Node]bool // what aliases stand for that are being unfolded
	values int                 // so far
	text   int                 // bytes so far
}

// errTooMuch ends the reading of a document.
var errTooMuch = errors.New("the document unfolds to too much")

// readYAML returns the documents of a YAML file. What cannot be read is told to refuse; of a
// file that is not YAML everything from there on is missing.
func readYAML(text []byte, refuse func(m mark, format string, args ...any)) (documents []*value) {
	if m, r, bad := firstControl(text); bad {
		refuse(m, "the character %U may not be in a YAML file; write it as an escape, in double quotes", r)
		return nil
	}
	if m, bad := firstTooLong(text); bad {
		refuse(m, "the document has more than %d MiB", maxDocument>>20)
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	for err == nil {
		var node yaml.Node
		if err = loader.Load(&node); err != nil {
			break
		}
		root := node.Content[0]
		if root.Kind == yaml.ScalarNode && root.Value == "" && root.Style == 0 {
			continue // nothing, or comments alone
		}
		if len(documents) == maxDocuments {
			refuse(mark{root.Line, root.Column}, "has more than %d documents; divide it into several files", maxDocuments)
			return nil
		}
		y := yamlReader{refuse: refuse, open: map[*yaml.Node]bool{}}
		v, unfolded := y.value(root, 0)
		if unfolded != nil {
			return documents
		}
		documents = append(documents, v)
	}
	if !errors.Is(err, io.EOF) {
		refuse(syntaxError(text, err))
	}
	return documents
}

// syntaxError says where a file is not YAML, and why.
func syntaxError(text []byte, err error) (m mark, format, detail string) {
	m, detail = mark{1, 1}, err.Error()
	if failed, ok := errors.AsType[*yaml.LoadError](err); ok {
		detail = failed.Message
		if failed.ContextMsg != "" {
			detail += ", " + failed.ContextMsg
			if c := failed.ContextMark; c.Line > 0 && c != failed.Mark {
				detail += fmt.Sprintf(" that begins at %d:%d", c.Line, c.Column)
			}
		}
		if failed.Mark.Line > 0 {
			m = mark{failed.Mark.Line, failed.Mark.Column}
		}
	}
	if lines := bytes.Split(text, []byte("\n")); m.line <= len(lines) {
		if line := lines[m.line-1]; bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("\t")) {
			return m, "is not YAML: %s", "the line is indented by a tab, want spaces"
		}
	}
	return m, "is not YAML: %s", detail
}

func (y *yamlReader) value(n *yaml.Node, level int) (*value, error) {
	v := &value{mark: mark{n.Line, n.Column}}
	y.values++
	y.text += len(n.Value)
	if y.values > maxValues || y.text > maxText {
		y.refuse(v.mark, "the document unfolds to more than %d values or %d MiB of text from here on", maxValues, maxText>>20)
		return nil, errTooMuch
	}
	if level > maxLevels {
		y.refuse(v.mark, "is nested deeper than %d levels", maxLevels)
		return nil, errTooMuch
	}
	if n.Style&yaml.TaggedStyle != 0 {
		y.refuse(v.mark, "has the tag %s: tags are not read, write the value itself", Printable(n.ShortTag()))
		v.json = []byte("null")
		return v, nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return y.alias(n, level)
	case yaml.SequenceNode:
		v.kind = list
		for _, element := range n.Content {
			e, err := y.value(element, level+1)
			if err != nil {
				return nil, err
			}
			v.members = append(v.members, member{value: e})
		}
		return v, nil
	case yaml.MappingNode:
		return v, y.mapping(v, n, level)
	}
	v.json = y.scalar(n)
	return v, nil
}

// alias returns what the anchor of an alias is. Its places are those of the anchor.
func (y *yamlReader) alias(n *yaml.Node, level int) (*value, error) {
	if y.open[n.Alias] {
		y.refuse(mark{n.Line, n.Column}, "*%s is inside of what it stands for", Printable(n.Value))
		return nil, errTooMuch
	}
	y.open[n.Alias] = true
	defer delete(y.open, n.Alias)
	return y.value(n.Alias, level)
}

func (y *yamlReader) mapping(v *value, n *yaml.Node, level int) error {
	v.kind = object
	names := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, at := n.Content[i], mark{n.Content[i].Line, n.Content[i].Column}
		switch {
		case name.Kind == yaml.ScalarNode && name.ShortTag() == "!!merge":
			y.refuse(at, "merge keys are not read: write the members, or an alias for the whole value")
			continue
		case name.Kind != yaml.ScalarNode || name.ShortTag() != "!!str" || name.Style&yaml.TaggedStyle != 0:
			y.refuse(at, "a name must be a text: put it into quotes")
			continue
		}
		if line, twice := names[name.Value]; twice {
			y.refuse(at, "%s is there twice, first in line %d", Printable(name.Value), line)
			continue
		}
		names[name.Value] = name.Line
		y.text += len(name.Value)
		element, err := y.value(n.Content[i+1], level+1)
		if err != nil {
			return err
		}
		v.members = append(v.members, member{name: name.Value, mark: at, value: element})
	}
	return nil
}

// plainNumber is a number as JSON has it. YAML has others, which its versions and libraries
// read differently: 010, 0o10, 1_000, 0x1F, +1, .5, .nan.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// scalar returns a scalar as JSON.
func (y *yamlReader) scalar(n *yaml.Node) []byte {
	switch n.ShortTag() {
	case "!!null":
		return []byte("null")
	case "!!bool":
		return []byte(strings.ToLower(n.Value))
	case "!!int", "!!float":
		if !plainNumber.MatchString(n.Value) {
			y.refuse(mark{n.Line, n.Column}, "%s is read differently by different versions of YAML: write a plain number as in JSON, or put a text into quotes", Printable(n.Value))
			return []byte("null")
		}
		return []byte(n.Value)
	}
	return quote(n.Value) // times, too, are texts
}

// firstControl returns the first character of a text that no YAML file may have.
func firstControl(text []byte) (m mark, r rune, bad bool) {
	line, column := 1, 1
	for i, r := range string(text) {
		switch {
		case r == '\n':
			line, column = line+1, 1
			continue
		case r == '\ufeff' && i == 0, r == '\t', r == '\r', r == 0x85:
		case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfeff, r == 0xfffe, r == 0xffff:
			return mark{line, column}, r, true
		}
		column++
	}
	return mark{}, 0, false
}

// firstTooLong returns where the first document begins that has more than maxDocument bytes,
// of which the library would make a hundred times as much in memory. A line that begins with
// three dashes begins a document, wherever it is.
func firstTooLong(text []byte) (m mark, bad bool) {
	size, begin, number := 0, 1, 0
	for line := range bytes.Lines(text) {
		number++
		if rest, ok := bytes.CutPrefix(line, []byte("---")); ok && (len(rest) == 0 || bytes.IndexByte([]byte(space), rest[0]) >= 0) {
			size, begin = 0, number
		}
		if size += len(line); size > maxDocument {
			return mark{begin, 1}, true
		}
	}
	return mark{}, false
}
