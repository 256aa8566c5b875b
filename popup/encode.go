package popup

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// Encode returns the spec as canonical JSON, the form in which it is stored:
// every member is present, in the order of the struct, the names inside content
// in byte order. [Decode] turns it back into the same spec. The spec must be
// valid; Encode panics on content that is not JSON.
func (s Spec) Encode() []byte {
	s.Placements = notNil(s.Placements)
	s.Schedule.StartAt = canonicalTime(s.Schedule.StartAt)
	s.Schedule.EndAt = canonicalTime(s.Schedule.EndAt)
	s.Schedule.Days = notNil(s.Schedule.Days)
	s.Schedule.Hours = notNil(s.Schedule.Hours)
	s.Targeting = s.Targeting.canonical()
	s.Variants = slices.Clone(notNil(s.Variants))
	for i := range s.Variants {
		if s.Variants[i].Content == nil {
			s.Variants[i].Content = map[string]any{}
		}
		if s.Variants[i].Translations == nil {
			s.Variants[i].Translations = map[string]map[string]any{}
		}
	}
	s.Tags = notNil(s.Tags)
	b, err := appendJSON(nil, s)
	if err != nil {
		panic("popup: encode an invalid spec: " + err.Error())
	}
	return b
}

// canonical returns the targeting without a list that is nil, which JSON writes as null.
func (t Targeting) canonical() Targeting {
	return Targeting{All: notNil(t.All), Any: notNil(t.Any), None: notNil(t.None)}
}

// AppendContent appends the content of a variant as the JSON that is served. It returns
// an error if the content is not JSON, which [Spec.Validate] tells.
func (v *Variant) AppendContent(dst []byte) ([]byte, error) {
	if v.Content == nil {
		return append(dst, "{}"...), nil
	}
	return appendTree(dst, v.Content)
}

// AppendTranslation is [Variant.AppendContent] for the translation with this tag, laid
// over the content.
func (v *Variant) AppendTranslation(dst []byte, tag string) ([]byte, error) {
	content := make(map[string]any, len(v.Content)+len(v.Translations[tag]))
	maps.Copy(content, v.Content)
	maps.Copy(content, v.Translations[tag])
	return appendTree(dst, content)
}

// appendTree is appendJSON for content, most of which is objects of plain texts: package
// json takes several times as long, and all servers render thousands of popups when they start.
func appendTree(dst []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case string:
		return appendText(dst, v)
	case map[string]any:
		if v == nil {
			break
		}
		dst = append(dst, '{')
		names := make([]string, 0, 16) // of most objects on the stack
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for i, name := range names {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendText(dst, name); err != nil {
				return nil, err
			}
			dst = append(dst, ':')
			if dst, err = appendTree(dst, v[name]); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	encoded, err := appendJSON(nil, v)
	return append(dst, encoded...), err
}

func appendText(dst []byte, text string) ([]byte, error) {
	if isPlain(text) {
		dst = append(dst, '"')
		dst = append(dst, text...)
		return append(dst, '"'), nil
	}
	encoded, err := appendJSON(nil, text)
	return append(dst, encoded...), err
}

// isPlain reports whether JSON has the text as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == 0x7f {
			return false
		}
	}
	return true
}

// appendJSON appends v as JSON, with <, > and & as they are: the answer is never
// part of an HTML page, and escapes would make it longer.
func appendJSON(dst []byte, v any) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func canonicalTime(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Millisecond)
	return &u
}
