package configfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/popupd/popupd/popup"
)

// SchemaLine is the first line of a YAML file that is written: editors then complete and check
// what is in it.
const SchemaLine = "# yaml-language-server: $schema=https://raw.githubusercontent.com/popupd/popupd/main/docs/popup.schema.json\n"

// YAML returns an object of a server, JSON, as a document of YAML that reads as the same:
// without what only a server writes, and without what is as it would be anyway.
func YAML(kind string, text []byte) ([]byte, error) {
	v, err := stripped(kind, text)
	if err != nil {
		return nil, err
	}
	return v.appendBlock(nil, 0), nil
}

// JSON is [YAML] for a file of JSON.
func JSON(kind string, text []byte) ([]byte, error) {
	v, err := stripped(kind, text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, v.appendJSON(nil), "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Key returns the key of an object of a server.
func Key(text []byte) string {
	var o struct{ Key string }
	_ = json.Unmarshal(text, &o) // without one there is none
	return o.Key
}

// Same reports whether two objects of a kind, JSON, say the same.
func Same(kind string, a, b []byte) bool {
	x, err := YAML(kind, canonical(kind, a))
	y, err2 := YAML(kind, canonical(kind, b))
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

// canonical returns an object with every member in its place, or as it is if this popupd does
// not understand it.
func canonical(kind string, text []byte) []byte {
	switch kind {
	case KindPopup:
		if spec, err := popup.Decode(text); err == nil {
			return spec.Encode()
		}
	case KindSettings:
		if settings, err := popup.DecodeSettings(text); err == nil {
			return settings.Encode()
		}
	case KindAudience:
		if rule, err := popup.DecodeAudience(text); err == nil {
			return fmt.Appendf(nil, `{"key":%s,"rule":%s}`, quote(Key(text)), rule.Encode())
		}
	}
	return text
}

// stripped returns an object of a server as it is written to a file.
func stripped(kind string, text []byte) (*value, error) {
	v, err := parse(text)
	if err != nil {
		return nil, err
	}
	v = v.without(unsent)
	switch kind {
	case KindPopup:
		v, err = strippedPopup(v)
	case KindAudience:
		var usual *value
		usual, err = parse([]byte(`{"rule":{"all":[],"any":[],"none":[]}}`))
		v = v.only("key", "rule").beside(usual, []string{"rule"}, []string{"rule"})
	}
	v.members = slices.Insert(v.members, 0, member{name: "kind", value: &value{json: quote(kind)}})
	return v, err
}

// strippedPopup leaves out of a popup what is as it would be without being written.
func strippedPopup(v *value) (*value, error) {
	spec, err := popup.Decode([]byte(`{"key":"a"}`))
	if err != nil {
		return nil, err
	}
	usual, err := parse(spec.Encode())
	if err != nil {
		return nil, err
	}
	v = v.beside(usual, []string{"schedule", "targeting", "rollout", "frequency", "goal"}, []string{"key", "status"})
	usualVariants, _ := usual.get("variants")
	if variants, ok := v.get("variants"); ok && variants.kind == list {
		for i, m := range variants.members {
			if m.value.kind == object {
				variants.members[i].value = m.value.beside(usualVariants.members[0].value, nil, []string{"key"})
			}
		}
	}
	return v, nil
}

// beside returns an object without the members that are the same in another one, but for
// those to keep. Of members that are compared inside it leaves out the same of theirs.
func (v *value) beside(usual *value, inside, keep []string) *value {
	out := &value{kind: object}
	for _, m := range v.members {
		other, isUsual := usual.get(m.name)
		switch {
		case isUsual && m.value.kind == object && slices.Contains(inside, m.name):
			m.value = m.value.beside(other, nil, nil)
			isUsual = len(m.value.members) == 0
		case isUsual:
			isUsual = bytes.Equal(m.value.appendJSON(nil), other.appendJSON(nil))
		}
		if !isUsual || slices.Contains(keep, m.name) {
			out.members = append(out.members, m)
		}
	}
	return out
}

// parse reads one object of JSON.
func parse(text []byte) (*value, error) {
	var problems Problems
	values := readJSON(text, func(m mark, format string, args ...any) {
		problems = append(problems, Problem{Place: at("JSON", m), Detail: fmt.Sprintf(format, args...)})
	})
	if len(problems) > 0 {
		return nil, problems
	}
	if len(values) != 1 || values[0].kind != object {
		return nil, errors.New("want one object of JSON")
	}
	return values[0], nil
}
