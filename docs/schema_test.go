package docs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/popup"
)

var update = flag.Bool("update", false, "write popup.schema.json anew")

const schemaFile = "popup.schema.json"

// TestSchema: popup.schema.json is what openapi.yaml says of popups, settings and rules of
// audiences, with the defaults of the code, as one document of a file.
func TestSchema(t *testing.T) {
	want := fileSchema(t)
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("popup.schema.json is not as openapi.yaml has it: go test ./docs -run TestSchema -update")
	}
}

type object = map[string]any

// fileSchema returns the JSON Schema of a file.
func fileSchema(t testing.TB) []byte {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(docs.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	c := schemaCopy{from: decodeJSON(t, marshal(t, doc.Components.Schemas)).(object), defs: object{}}

	spec, err := popup.Decode([]byte(`{"key":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	popups := decodeJSON(t, spec.Encode()).(object)
	delete(popups, "key") // which has none
	c.document("popup", "PopupInput", "key")
	c.setDefaults(c.defs["popup"].(object), popups)

	c.document("settings", "SettingsInput", "kind")
	c.setDefaults(c.defs["settings"].(object), decodeJSON(t, popup.Settings{}.Encode()).(object))
	c.setDefaults(c.defs["CapInput"].(object), object{"tags": []any{}})

	c.document("audience", "ImportAudience", "kind", "key", "rule")
	is := func(kind string) object {
		return object{"properties": object{"kind": object{"const": kind}}, "required": []any{"kind"}}
	}
	def := func(name string) object { return object{"$ref": "#/$defs/" + name} }
	root := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     "https://raw.githubusercontent.com/popupd/popupd/main/docs/" + schemaFile,
		"title":   "popupd: a popup, the settings or the rule of an audience, as a document of a file",
		"type":    "object",
		"if":      is("settings"), "then": def("settings"),
		"else":  object{"if": is("audience"), "then": def("audience"), "else": def("popup")},
		"$defs": c.defs,
	}
	var out bytes.Buffer
	if err := json.Indent(&out, marshal(t, root), "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

const schemaRef = "#/components/schemas/"

// schemaCopy turns schemas of OpenAPI 3.0 into those of JSON Schema 2020-12. x-json-schema has
// what OpenAPI 3.0 can't say.
type schemaCopy struct{ from, defs object }

// document adds the schema of a document of one kind, from the component of a request.
func (c schemaCopy) document(kind, component string, required ...any) {
	s := c.copied(c.from[component]).(object)
	s["properties"].(object)["kind"] = object{"const": kind}
	s["required"] = required
	c.defs[kind] = s
}

func (c schemaCopy) copied(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = c.copied(v[i])
		}
		return list
	case object:
		s := object{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			switch name {
			case "nullable", "x-json-schema":
			case "description":
				if v[name] == "ignored" { // whatever it is
					return object{"description": "ignored", "readOnly": true}
				}
				s[name] = v[name]
			case "example":
				s["examples"] = []any{v[name]}
			case "format":
				if v[name] == "date-time" {
					s[name] = v[name]
				}
			case "$ref":
				s[name] = c.ref(strings.TrimPrefix(v[name].(string), schemaRef))
			default:
				s[name] = c.copied(v[name])
			}
		}
		if v["nullable"] == true {
			s["type"] = []any{s["type"], "null"}
		}
		if more, ok := v["x-json-schema"].(object); ok {
			maps.Copy(s, c.copied(more).(object))
		}
		return s
	}
	return v
}

// ref adds the component that is referred to.
func (c schemaCopy) ref(component string) string {
	if _, ok := c.defs[component]; !ok {
		c.defs[component] = nil // being made
		c.defs[component] = c.copied(c.from[component])
	}
	return "#/$defs/" + component
}

// setDefaults gives the properties of a schema the defaults that an object has.
func (c schemaCopy) setDefaults(schema, values object) {
	properties := schema["properties"].(object)
	for name, value := range values {
		property := properties[name].(object)
		target := property
		if ref, ok := property["$ref"].(string); ok {
			target = c.defs[strings.TrimPrefix(ref, "#/$defs/")].(object)
		}
		switch inner, isObject := value.(object); {
		case isObject && target["properties"] != nil:
			c.setDefaults(target, inner)
		default:
			property["default"] = value
		}
		if list, ok := value.([]any); ok && len(list) > 0 {
			if item, ok := list[0].(object); ok {
				of := target["items"].(object)["$ref"].(string)
				c.setDefaults(c.defs[strings.TrimPrefix(of, "#/$defs/")].(object), item)
			}
		}
	}
}

// failer is a [testing.TB] or a [rapid.T].
type failer interface {
	Helper()
	Fatal(...any)
}

func marshal(t failer, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decodeJSON(t failer, b []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
