package configfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// jsonReader turns JSON that is known to be valid into values.
type jsonReader struct {
	refuse func(m mark, format string, args ...any)
	text   []byte // of the whole file
	at     int    // offset of what is read next

	last   int  // offset of the last mark
	marked mark // where that was
}

// readJSON returns the values of a JSON file, one after the other. What is wrong is told to
// refuse; of a file that is not JSON everything from there on is missing.
func readJSON(text []byte, refuse func(m mark, format string, args ...any)) (values []*value) {
	j := jsonReader{refuse: refuse, text: text, marked: mark{1, 1}}
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var whole json.RawMessage
		err := d.Decode(&whole)
		if errors.Is(err, io.EOF) {
			return values
		}
		if err != nil {
			offset := len(text)
			if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
				offset = max(int(syntax.Offset)-1, 0)
			}
			refuse(j.markAt(offset), "is not JSON: %v", err)
			return values
		}
		j.at = int(d.InputOffset()) - len(whole)
		switch {
		case len(whole) > maxDocument:
			refuse(j.markAt(j.at), "has more than %d MiB", maxDocument>>20)
			return values
		case len(values) == maxDocuments:
			refuse(j.markAt(j.at), "has more than %d values; divide it into several files", maxDocuments)
			return nil
		}
		v, ok := j.value(0)
		if !ok {
			return values
		}
		values = append(values, v)
	}
}

// markAt returns the line and column of an offset, which is not before the last one.
func (j *jsonReader) markAt(offset int) mark {
	since := j.text[j.last:offset]
	if n := bytes.Count(since, []byte("\n")); n > 0 {
		j.marked = mark{j.marked.line + n, 1}
		since = since[bytes.LastIndexByte(since, '\n')+1:]
	}
	j.marked.column += utf8.RuneCount(since)
	j.last = offset
	return j.marked
}

func (j *jsonReader) skip(characters string) {
	for j.at < len(j.text) && strings.IndexByte(characters, j.text[j.at]) >= 0 {
		j.at++
	}
}

const space = " \t\r\n"

// value reads a value. ok is false if it is nested too deep.
func (j *jsonReader) value(level int) (v *value, ok bool) {
	j.skip(space)
	v = &value{mark: j.markAt(j.at)}
	if level > maxLevels {
		j.refuse(v.mark, "is nested deeper than %d levels", maxLevels)
		return nil, false
	}
	switch j.text[j.at] {
	case '{':
		v.kind = object
		return v, j.object(v, level)
	case '[':
		v.kind = list
		return v, j.array(v, level)
	case '"':
		v.json = j.string()
		return v, true
	}
	begin := j.at
	for j.at < len(j.text) && strings.IndexByte(space+",]}", j.text[j.at]) < 0 {
		j.at++
	}
	v.json = j.text[begin:j.at]
	return v, true
}

// string returns a string as it is written.
func (j *jsonReader) string() []byte {
	begin := j.at
	for j.at++; j.text[j.at] != '"'; j.at++ {
		if j.text[j.at] == '\\' {
			j.at++
		}
	}
	j.at++
	return j.text[begin:j.at]
}

// more goes to the next member or element. It returns false past the end.
func (j *jsonReader) more(end byte) bool {
	j.skip(space + ",")
	if j.text[j.at] == end {
		j.at++
		return false
	}
	return true
}

func (j *jsonReader) array(v *value, level int) bool {
	for j.at++; j.more(']'); {
		element, ok := j.value(level + 1)
		if !ok {
			return false
		}
		v.members = append(v.members, member{value: element})
	}
	return true
}

func (j *jsonReader) object(v *value, level int) bool {
	lines := map[string]int{}
	for j.at++; j.more('}'); {
		m := member{mark: j.markAt(j.at)}
		m.json = j.string()
		_ = json.Unmarshal(m.json, &m.name) // it is JSON
		j.skip(space + ":")
		var ok bool
		if m.value, ok = j.value(level + 1); !ok {
			return false
		}
		if line, twice := lines[m.name]; twice {
			j.refuse(m.mark, "%s is there twice, first in line %d", Printable(m.name), line)
			continue
		}
		lines[m.name] = m.mark.line
		v.members = append(v.members, m)
	}
	return true
}
