package docs_test

import (
	"errors"
	"flag"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// unsaid are the rules that a schema can't say or, of one member and another, does not, by
// what validation answers, and the words of docs/popups.md for each.
var unsaid = []struct{ answer, words string }{
	{`^must have at most \d+ bytes`, "bytes"},
	{`^must have 1 to \d+ bytes`, "bytes"},
	{`^has \d+ bytes|^have \d+ bytes`, "bytes"},
	{`^occurs twice$`, "the same `key`"},
	{`^has \d+ conditions`, "64 conditions"},
	{`^must be after start_at$`, "`end_at` after `start_at`"},
	{`^must be in the years 1970 to 9999$|^must be null or a time`, "days that there are"},
	{`^must be a time as in "2026-01-31T`, "days that there are"},
	{`^must differ from the start$`, "ends of hours"},
	{`^must have a weight above 0$`, "a weight above 0"},
	{`^must be a time zone`, "time zones"},
	{`^must be relative or begin with https:`, "links"},
	{`is not a known (language|script|region)`, "languages"},
	{`^is another spelling of|^means the same as`, "languages"},
	{`^must be a regular expression|^is too costly`, "regular expressions"},
	{`^must be a network or an address`, "networks"},
	{`^must be an age`, "ages"},
	{`^must be a version`, "versions"},
	{`^is too large a number$`, "numbers"},
}

// taken reports whether the API takes a document of a file, or else its errors.
func taken(t *rapid.T, document object) popup.FieldErrors {
	kind, hasKind := document["kind"]
	rest := maps.Clone(document)
	delete(rest, "kind") // which is the file's alone
	var err error
	at := ""
	switch {
	case kind == "settings":
		at = "/settings"
		_, err = popup.DecodeImport(marshal(t, object{"settings": rest}))
	case kind == "audience":
		at = "/audiences/0"
		_, err = popup.DecodeImport(marshal(t, object{"audiences": []any{rest}}))
	case hasKind && kind != "popup":
		return popup.FieldErrors{{Pointer: "/kind", Detail: "is none"}}
	default:
		at = "/popups/0"
		_, err = popup.DecodeImport(marshal(t, object{"popups": []any{rest}}))
	}
	errs, ok := errors.AsType[popup.FieldErrors](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	for i := range errs {
		errs[i].Pointer = strings.TrimPrefix(errs[i].Pointer, at)
	}
	return errs
}

// TestSchemaIsTheRules: of documents that are drawn from the schema, and beside it, the API
// takes those that the schema takes, but for the rules that the page lists; and the schema
// takes what the API takes.
func TestSchemaIsTheRules(t *testing.T) {
	document := decodeJSON(t, fileSchema(t))
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(schemaFile, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("popups.md")
	if err != nil {
		t.Fatal(err)
	}
	var rules []*regexp.Regexp
	for _, rule := range unsaid {
		rules = append(rules, regexp.MustCompile(rule.answer))
		if !strings.Contains(string(page), rule.words) {
			t.Errorf("docs/popups.md does not tell of %q among what the schema does not say", rule.words)
		}
	}
	defs := document.(object)["$defs"].(object)
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("2000")
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	var both, neither, beyond int
	rapid.Check(t, func(t *rapid.T) {
		d := drawing{t, defs}
		kind := d.one("popup", "popup", "popup", "settings", "audience").(string)
		drawn, ok := d.value(defs[kind]).(object)
		if !ok {
			return
		}
		if kind != "popup" {
			drawn["kind"] = kind
		}
		drawn = decodeJSON(t, marshal(t, drawn)).(object)
		refused := schema.Validate(drawn)
		errs := taken(t, drawn)
		if refused != nil {
			if neither++; len(errs) == 0 {
				t.Fatalf("the API takes what the schema refuses:\n%s\n%v", marshal(t, drawn), refused)
			}
			return
		}
		if len(errs) == 0 {
			both++
		} else {
			beyond++
		}
		for _, e := range errs {
			known := false
			for _, rule := range rules {
				known = known || rule.MatchString(e.Detail)
			}
			if !known {
				t.Fatalf("the schema takes what the API refuses: %v\n%s", e, marshal(t, drawn))
			}
		}
	})
	t.Logf("%d documents are taken, %d refused, %d by what the schema does not say", both, neither, beyond)
	if !t.Failed() && !testing.Short() && (both == 0 || neither == 0 || beyond == 0) {
		t.Error("one kind of documents was never drawn")
	}
}
