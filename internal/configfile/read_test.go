package configfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// files writes files, given as name and content in turn, into a new directory.
func files(t *testing.T, namesAndTexts ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(namesAndTexts); i += 2 {
		name := filepath.Join(dir, filepath.FromSlash(namesAndTexts[i]))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(namesAndTexts[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read returns what stdin says.
func read(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Read("-", strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c
}

// mistakes returns what Read says of a directory or a file in it, without dir.
func mistakes(t *testing.T, dir, name string) string {
	t.Helper()
	c, err := Read(filepath.Join(dir, name), nil)
	if err == nil {
		return "none"
	}
	if problems := (Problems)(nil); c != nil || !errors.As(err, &problems) {
		t.Errorf("%s: %T %v", name, err, err)
	}
	return strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
}

func TestReadDirectory(t *testing.T) {
	dir := files(t,
		"popups/spring/b.yaml", "key: b\nversion: 7 # what a server wrote\nname: B\n",
		"popups/a.json", `{"$schema":"x","key":"a","variants":[{"content":{"title":"\ud83d\ude00","n":1.50}}]}`,
		"popups/two.yml", "key: c\n---\n# nothing\n---\nkey: d\nstatus: active\nschedule:\n  start_at: 2026-12-24T18:00:00Z\n",
		"all.yaml", "{kind: popup, key: e}\n---\n{kind: settings, min_gap_sec: 5}\n---\nkind: audience\nkey: vip\nrule:\n  all: [{attr: plan, op: eq, value: pro}]\nmembers: 0\n",
		"README.md", "not: ours", ".hidden/x.yaml", "not: ours", ".x.yaml", "not: ours")
	if err := os.Symlink("popups/spring/b.yaml", filepath.Join(dir, "0-linked")); err != nil {
		t.Fatal(err)
	}
	c, err := Read(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range c.Popups {
		got = append(got, o.Key+" "+o.File+" "+string(o.JSON))
	}
	want := []string{
		`e all.yaml {"key":"e"}`,
		`a popups/a.json {"key":"a","variants":[{"content":{"title":"\ud83d\ude00","n":1.50}}]}`,
		`b popups/spring/b.yaml {"key":"b","name":"B"}`,
		`c popups/two.yml {"key":"c"}`,
		`d popups/two.yml {"key":"d","status":"active","schedule":{"start_at":"2026-12-24T18:00:00Z"}}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if string(c.Settings.JSON) != `{"min_gap_sec":5}` || c.Settings.File != "all.yaml" {
		t.Errorf("%+v", c.Settings)
	}
	if len(c.Audiences) != 1 || c.Audiences[0].Key != "vip" || string(c.Audiences[0].JSON) != `{"key":"vip","rule":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}}` {
		t.Errorf("%+v", c.Audiences)
	}
	for pointer, want := range map[string]string{
		"/popups/0/key":                      "all.yaml:1:15",
		"/popups/1/variants/0/content/title": "popups/a.json:1:50",
		"/popups/4/schedule/start_at":        "popups/two.yml:8:3",
		"/popups/4/rollout/percent":          "popups/two.yml:5:1", // the closest one around it
		"/settings/min_gap_sec":              "all.yaml:3:18",
		"/audiences/0/rule/all/0/op":         "all.yaml:8:22",
		"/audiences/1":                       "",
		"/popups/5/key":                      "",
		"/prune":                             "",
	} {
		got, _ := c.Place(pointer)
		if got = strings.TrimPrefix(got, dir+"/"); got != want {
			t.Errorf("%s is at %q, want %q", pointer, got, want)
		}
	}
}

func TestYAMLScalars(t *testing.T) {
	c := read(t, `key: a
variants:
- content:
    yes: no
    a: [on, Yes, TRUE, false, null, ~, "", 1, -1.5e3, 12345678901234567890, 2026-12-24, 12:30, 1.2.3, 'it''s', "\u00e9\n"]
    b: |
      two
      lines
    c: >-
      one
      line
    d:
    e: &e {f: [1, 2]}
    g: *e
    h: *e
`)
	want := `{"key":"a","variants":[{"content":{"yes":"no","a":["on","Yes",true,false,null,null,"",1,-1.5e3,12345678901234567890,"2026-12-24","12:30","1.2.3","it's","é\n"],` +
		`"b":"two\nlines\n","c":"one line","d":null,"e":{"f":[1,2]},"g":{"f":[1,2]},"h":{"f":[1,2]}}}]}`
	if d := cmp.Diff(want, string(c.Popups[0].JSON)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.yaml", "", "1:1: is empty: want a popup, or kind: settings or kind: audience"},
		{"a.yaml", "# nothing\n---\n", "1:1: is empty: want a popup, or kind: settings or kind: audience"},
		{"a.yaml", "{}", "1:1: is empty: want a popup, or kind: settings or kind: audience"},
		{"a.json", " \n", "1:1: is empty: want a popup, or kind: settings or kind: audience"},
		{"a.yaml", "- key: a", "1:1: want an object: a popup, or kind: settings or kind: audience"},
		{"a.yaml", "name: x\nkind: Popup", "2:1: kind must be popup, settings or audience"},
		{"a.yaml", "kind: [popup]", "1:1: kind must be popup, settings or audience"},
		{"a.yaml", "kind: !!str popup", "1:7: has the tag"},
		{"a.yaml", "kind: audience\nrule: {all: [{attr: audience, op: eq, value: vip}]}\nsize: 1", "1:1: key is required: 1 to 64 of a-z, 0-9 and -, the first not -\na.yaml:2:31: rule/all/0/op must be in or not_in with the attribute audience\na.yaml:3:1: size is"},
		{"a.yaml", "name: x\n", "1:1: key is required"},
		{"a.yaml", "key: a\nkey: b\nname: 3\nnam: x", "2:1: key is there twice, first in line 1\na.yaml:3:1: name must be a string\na.yaml:4:1: nam is not a known field"},
		{"a.json", "{\"key\": \"a\",\n \"key\": \"b\"}", "2:2: key is there twice, first in line 1"},
		{"a.yaml", "key: a\n---\nkey: a", "3:1: popup a is at a.yaml:1:1, too"},
		{"a.yaml", "kind: settings\n---\nkind: settings", "3:1: a document of settings is at a.yaml:1:1, too"},
		{"a.yaml", "kind: settings\nmin_gap_sec: -1", "2:1: min_gap_sec must be 0 to 315360000"},
		{"a.yaml", "key: a\nfrequency:\n  after_click_sec: -2\n", "3:3: frequency/after_click_sec must be 0 to 315360000 seconds, or -1 for never again"},
		{"a.yaml", "key: a\ntargeting:\n  all:\n  - {attr: plan, op: is, value: x}\n", "4:18: targeting/all/0/op"},
		{"a.yaml", "key: a\nname: !!str x\nvariants: !list []", "2:7: has the tag !!str: tags are not read, write the value itself\na.yaml:3:11: has the tag !list"},
		{"a.yaml", "key: a\n<<: {name: x}", "2:1: merge keys are not read"},
		{"a.yaml", "key: a\n1: b\n[x]: c\n~: d", "2:1: a name must be a text: put it into quotes\na.yaml:3:1: a name must be a text: put it into quotes\na.yaml:4:1: a name"},
		{"a.yaml", "key: a\npriority: 010", "2:11: 010 is read differently by different versions of YAML"},
		{"a.yaml", "key: a\nvariants: [{content: {x: [0x1F, 1_000, .5, .nan, +1, 1.]}}]", "2:27: 0x1F is read"},
		{"a.yaml", "key: a\n\tname: b", "2:1: is not YAML: the line is indented by a tab, want spaces"},
		{"a.yaml", "key: a\nname: b: c", "2:8: is not YAML: mapping values are not allowed in this context"},
		{"a.yaml", "key: [a\nname: b", "2:5: is not YAML: did not find expected ',' or ']', while parsing a flow sequence that begins at 1:6"},
		{"a.yaml", "key: *nobody", "1:6: is not YAML: unknown anchor 'nobody' referenced"},
		{"a.yaml", "key: a\nvariants: &v\n- content: {x: *v}", "3:16: *v is inside of what it stands for"},
		{"a.yaml", "%YAML 3.0\n---\nkey: a", "1:1: is not YAML: found incompatible YAML document"},
		{"a.yaml", "key: a\nname: \xff", "2:7: is not UTF-8: it has a byte 0xff"},
		{"a.yaml", "\xff\xfek\x00e\x00y\x00", "1:1: is not UTF-8: it has a byte 0xff"},
		{"a.yaml", "\x7fELF\x02\x01\x00", "1:7: is not a text file: it has a byte 0"},
		{"a.yaml", "key: a\nname: é\x1b[2J", "2:8: the character U+001B may not be in a YAML file; write it as an escape, in double quotes"},
		{"a.yaml", "key: a\n\"x\\e\": 1", "2:1: x� is not a known field"},
		{"a.json", "{\"key\": \"a\",\n \"é\": tru}", "2:10: is not JSON: invalid character '}' in literal true (expecting 'e')"},
		{"a.json", "{\"key\": \"a\"", "1:12: is not JSON: unexpected EOF"},
		{"a.json", `{"key": "a", "name": "\ud800"}`, `1:14: name has half of a surrogate pair`},
		{"a.json", strings.Repeat("[", 100) + strings.Repeat("]", 100), "1:66: is nested deeper than 64 levels"},
		{"a.yaml", strings.Repeat("- ", 100), "1:131: is nested deeper than 64 levels"},
		{"a.yaml", strings.Repeat("[", 20_000), "1:10001: is not YAML: exceeded max depth of 10000"},
		{"a.yaml", laughs(), "the document unfolds to more than 200000 values"},
		{"a.yaml", strings.Repeat("#", maxFile+1), "has more than 16 MiB; divide it into several files"},
		{"a.yaml", "key: a\n---\nkey: b\n---\n" + strings.Repeat("# ---\n", maxDocument/6+1), "4:1: the document has more than 1 MiB"},
		{"a.json", `{"key":"a"}` + "\n" + ` {"x":"` + strings.Repeat("x", maxDocument) + `"}`, "2:2: has more than 1 MiB"},
		{"a.yaml", strings.Repeat("- 1\n--- \n", maxDocuments+1), "20001:1: has more than 10000 documents; divide it into several files"},
		{"a.json", strings.Repeat("1 ", maxDocuments+1), "1:20001: has more than 10000 values; divide it into several files"},
	} {
		got := mistakes(t, files(t, c.name, c.text), c.name)
		if !strings.Contains(got, c.want) || !strings.HasPrefix(got, c.name+":") || strings.ContainsAny(got, "\x1b\x00") {
			t.Errorf("%.80q:\n%.600s\nwant\n%s", c.text, got, c.want)
		}
	}
}

// laughs is a document of few lines that would unfold to a billion values.
func laughs() string {
	text := "key: a\nvariants:\n- content:\n    a0: &a0 [lol]\n"
	for i := range 9 {
		a := string(rune('0' + i))
		text += "    a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Repeat("*a"+a+", ", 10) + "]\n"
	}
	return text
}

func TestMistakesOfDirectories(t *testing.T) {
	dir := files(t, "b/two.yaml", "key: b\nstatus: on", "a/one.yaml", "key: a\nname: [", "a/twice.yaml", "key: b\n", "c.yaml", "key: c\n", "a/again.yaml", "key: c\n")
	for link, to := range map[string]string{"loop": ".", "out.yaml": "/etc/passwd", "nowhere.yaml": "nothing", "self.yaml": "self.yaml", "elsewhere": "/nothing"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sock"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := `a/one.yaml:3:1: is not YAML: did not find expected node content, while parsing a flow node
b/two.yaml:2:1: status must be draft, active, paused or archived
c.yaml:1:1: popup c is at a/again.yaml:1:1, too
loop: is a link to a directory that it is in
nowhere.yaml: no such file or directory
out.yaml: path escapes from parent
self.yaml: too many levels of symbolic links`
	if d := cmp.Diff(want, mistakes(t, dir, "")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := Read(filepath.Join(dir, "sock"), nil); !errors.Is(err, ErrNoFiles) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "absent"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent directory: %v", err)
	}
}

func TestAtMostSoManyMistakes(t *testing.T) {
	got := mistakes(t, files(t, "a.yaml", strings.Repeat("- 1\n---\n", 250)), "a.yaml")
	if lines := strings.Split(got, "\n"); len(lines) != MaxProblems+1 || lines[MaxProblems] != "and 150 more" {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
}

func TestStdin(t *testing.T) {
	if c := read(t, ` {"key":"a"} {"key":"b"}`); len(c.Popups) != 2 || c.Popups[1].File != "stdin" {
		t.Errorf("%+v", c)
	}
	_, err := Read("-", io.MultiReader(strings.NewReader("key: a\nx: 1"), brokenReader{}))
	if err == nil || err.Error() != "stdin: broken" {
		t.Errorf("a reader that breaks: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// FuzzRead wants of any file what the package promises: popups that are valid, or mistakes
// with a place.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"key: a\nvariants:\n- content: &x {t: 1}\n- content: *x\n", `{"key":"a","name":"\u00e9"} {"kind":"audience","key":"b","rule":{}}`, "kind: settings\ncaps: []\n---\n? [a]\n: !x b\n", "<<: *a", laughs(), "{", "\t", "a: |\n x\n"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		name := "a.yaml"
		if isJSON {
			name = "a.json"
		}
		r := newReader()
		r.file(name, name, strings.NewReader(text))
		c, err := r.result()
		if err != nil {
			for _, p := range err.(Problems) {
				if !strings.HasPrefix(p.Place, name+":") || p.mark.line < 1 || p.mark.line > strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u0085")+strings.Count(text, "\u2028")+strings.Count(text, "\u2029")+2 || p.mark.column < 1 || p.Detail == "" {
					t.Errorf("%q: %+v", text, p)
				}
			}
			return
		}
		for i := range c.Popups {
			again := newReader()
			again.file("b.json", "b.json", strings.NewReader(string(c.Popups[i].JSON)))
			if _, err := again.result(); err != nil {
				t.Errorf("%q is read as %s: %v", text, c.Popups[i].JSON, err)
			}
		}
	})
}
