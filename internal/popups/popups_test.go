package popups

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/cli"
)

// exchange is a request that a fake server expects, and its answer.
type exchange struct {
	request string // method, path, query
	match   string // If-Match
	status  int
	answer  string
}

// run runs a command against a server that expects these exchanges, one after the other. It
// returns what is printed, without the names of the server and of the directory dir, and the
// body that was sent last.
func run(t *testing.T, c cli.Popups, dir string, expected ...exchange) (out, errs, sent string, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(expected) == 0 {
			t.Errorf("asked %s %s, too", r.Method, r.URL)
			return
		}
		e := expected[0]
		expected = expected[1:]
		if got := r.Method + " " + r.URL.String(); got != e.request || r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("If-Match") != e.match {
			t.Errorf("asked %s, %v, want %s with %s", got, r.Header, e.request, e.match)
		}
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		w.Header().Set("ETag", `"7.1"`)
		w.WriteHeader(e.status)
		io.WriteString(w, e.answer)
	}))
	defer server.Close()
	if c.Server == "" {
		c.Server = server.URL
	}
	c.Token = "secret"
	var o, e strings.Builder
	err = Run(c, Streams{In: strings.NewReader(""), Out: &o, Err: &e})
	if len(expected) > 0 {
		t.Errorf("never asked %s", expected[0].request)
	}
	clean := strings.NewReplacer(server.URL, "SERVER", dir+string(filepath.Separator), "")
	if err != nil {
		err = cleaned{err, clean.Replace(err.Error())}
	}
	return clean.Replace(o.String()), clean.Replace(e.String()), sent, err
}

// cleaned is an error with another text.
type cleaned struct {
	error
	text string
}

func (c cleaned) Error() string { return c.text }
func (c cleaned) Unwrap() error { return c.error }

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

const (
	dryRun = "PUT /v1/admin/import?dry_run=1"
	put    = "PUT /v1/admin/import"
	// answer is one with everything in it that is printed.
	answer = `{"dry_run":true,"revision":7,"objects":[
		{"kind":"settings","key":"settings","action":"unchanged","from_version":2,"to_version":2,"changes":[],"more":0,"warnings":[]},
		{"kind":"audience","key":"vip","action":"create","from_version":0,"to_version":1,"changes":[]},
		{"kind":"popup","key":"a","action":"update","from_version":3,"to_version":4,"more":5,"changes":[
			{"pointer":"/priority","from":0,"to":5},{"pointer":"/tags/0","to":"x\u001b"},{"pointer":"/schedule/end_at","from":"2026-01-01T00:00:00Z"},
			{"pointer":"/variants/0/content/title","from":"A title that is somewhat long, as those of popups are","to":"Another one, long, too"},
			{"pointer":"/variants/0/content/body","from":"\"the beginning…","to":"short","cut":true}],
		 "warnings":[{"pointer":"/targeting/all/0","code":"never_holds","detail":"holds for nobody","proved":true}]},
		{"kind":"popup","key":"b","action":"create","from_version":0,"to_version":1,"changes":[]},
		{"kind":"popup","key":"old","action":"archive","from_version":4,"to_version":5,"changes":[{"pointer":"/status","from":"active","to":"archived"}]}]}`
	unchanged = `{"dry_run":true,"revision":7,"objects":[{"kind":"popup","key":"a","action":"unchanged","from_version":3,"to_version":3}]}`
)

func sample(t *testing.T) string {
	return files(t, "popups/a.yaml", "key: a\npriority: 5\ntargeting:\n  all:\n    - {attr: plan, op: eq, value: x}\n", "b.json", `{"key":"b"}`,
		"all.yaml", "kind: settings\n---\nkind: audience\nkey: vip\nrule: {}\n")
}

func TestDiff(t *testing.T) {
	dir := sample(t)
	out, errs, sent, err := run(t, cli.Popups{Command: "diff", Path: dir, Source: "acme", Revision: "3f2a1c", Prune: true}, dir, exchange{dryRun, "", 200, answer})
	want := `+ audience vip, all.yaml:3:1
~ popup a, version 3, popups/a.yaml:1:1
    priority: 0 -> 5
    tags/0: + "x\u001b"
    schedule/end_at: - "2026-01-01T00:00:00Z"
    variants/0/content/title:
      - "A title that is somewhat long, as those of popups are"
      + "Another one, long, too"
    variants/0/content/body: "the beginning… -> "short"
    and 5 more
    warning: targeting/all/0 holds for nobody (popups/a.yaml:5:7)
+ popup b, b.json:1:1
- popup old, version 4: it is in no file
2 to create, 1 to change, 1 to archive, 1 unchanged: revision 7
`
	if d := cmp.Diff(want, out); d != "" || errs != "" || !errors.Is(err, cli.ErrDiffers) {
		t.Errorf("%v %s (-want +got):\n%s", err, errs, d)
	}
	want = `{"popups":[{"key":"b","source":"acme:b.json@3f2a1c"},{"key":"a","priority":5,"targeting":{"all":[{"attr":"plan","op":"eq","value":"x"}]},"source":"acme:popups/a.yaml@3f2a1c"}],` +
		`"audiences":[{"key":"vip","rule":{}}],"settings":{},"source":"acme","prune":true}`
	if d := cmp.Diff(want, sent); d != "" {
		t.Errorf("sent (-want +got):\n%s", d)
	}
	out, _, _, err = run(t, cli.Popups{Command: "diff", Path: dir}, dir, exchange{dryRun, "", 200, unchanged})
	if err != nil || out != "nothing differs, 1 unchanged: revision 7\n" {
		t.Errorf("%q %v", out, err)
	}
	out, _, _, err = run(t, cli.Popups{Command: "diff", Path: dir, JSON: true}, dir, exchange{dryRun, "", 200, unchanged + "\n"})
	if err != nil || out != unchanged+"\n" {
		t.Errorf("%q %v", out, err)
	}
}

func TestColours(t *testing.T) {
	dir := files(t, "a.yaml", "key: a")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }))
	defer server.Close()
	var b strings.Builder
	err := Run(cli.Popups{Command: "diff", Path: dir, Server: server.URL}, Streams{Out: &b, Err: io.Discard, HasColour: true})
	if !errors.Is(err, cli.ErrDiffers) || !strings.Contains(b.String(), "\x1b[31m- popup old, version 4: it is in no file\x1b[0m\n") || strings.Count(b.String(), "\x1b[0m") != strings.Count(b.String(), "\x1b[3") {
		t.Errorf("%v %q", err, b.String())
	}
	if HasColour(&b, nil) || HasColour(os.Stdout, []string{"NO_COLOR=1"}) || HasColour(os.Stdout, []string{"TERM=dumb"}) {
		t.Error("colours where there should be none")
	}
}

func TestApply(t *testing.T) {
	dir := sample(t)
	out, errs, sent, err := run(t, cli.Popups{Command: "apply", Path: dir}, dir, exchange{dryRun, "", 200, answer}, exchange{put, `"7.1"`, 200, answer})
	if err != nil || errs != "" || !strings.HasSuffix(out, "\n2 created, 1 changed, 1 archived, 1 unchanged: revision 7\n") || !strings.Contains(sent, `"prune":false`) {
		t.Errorf("%s%s%s %v", out, errs, sent, err)
	}
	out, _, _, err = run(t, cli.Popups{Command: "apply", Path: dir}, dir, exchange{dryRun, "", 200, unchanged})
	if err != nil || out != "nothing differs, 1 unchanged: revision 7\n" {
		t.Errorf("%q %v", out, err)
	}
}

// TestMarks wants popups that need no other change to be marked only where the call says that
// the files' source matters.
func TestMarks(t *testing.T) {
	dir := files(t, "a.yaml", "key: a", "b.yaml", "key: b")
	marked := func(b string) string {
		return `{"revision":7,"objects":[{"kind":"popup","key":"a","action":"update","from_version":3,"to_version":4,"changes":[{"pointer":"/source","from":"","to":"files:a.yaml"}]},` + b + `]}`
	}
	same := marked(`{"kind":"popup","key":"b","action":"unchanged"}`)
	change := exchange{dryRun, "", 200, marked(`{"kind":"popup","key":"b","action":"create"}`)}
	out, _, sent, err := run(t, cli.Popups{Command: "apply", Path: dir}, dir, exchange{dryRun, "", 200, same}, exchange{dryRun, `"7.1"`, 200, unchanged})
	if want := `{"popups":[{"key":"a"},{"key":"b","source":"files:b.yaml"}],"prune":false}`; sent != want || err != nil || out != "nothing differs, 1 unchanged: revision 7\n" {
		t.Errorf("%s%s\nwant %s\n%v", out, sent, want, err)
	}
	_, _, sent, err = run(t, cli.Popups{Command: "apply", Path: dir}, dir, change, change.after(), exchange{put, `"7.1"`, 200, unchanged})
	if want := `{"popups":[{"key":"a"},{"key":"b","source":"files:b.yaml"}],"prune":false}`; sent != want || err != nil {
		t.Errorf("%s\nwant %s\n%v", sent, want, err)
	}
	_, _, sent, err = run(t, cli.Popups{Command: "apply", Path: dir, Prune: true}, dir, exchange{dryRun, "", 200, same}, exchange{put, `"7.1"`, 200, unchanged})
	if want := `{"popups":[{"key":"a","source":"files:a.yaml"},{"key":"b","source":"files:b.yaml"}],"source":"files","prune":true}`; sent != want || err != nil {
		t.Errorf("%s\nwant %s\n%v", sent, want, err)
	}
	out, _, _, err = run(t, cli.Popups{Command: "diff", Path: dir, Source: "acme"}, dir, exchange{dryRun, "", 200, same})
	if !errors.Is(err, cli.ErrDiffers) || !strings.Contains(out, `source: "" -> "files:a.yaml"`) {
		t.Errorf("%s%v", out, err)
	}
}

// after is the exchange as it is expected of what has been compared.
func (e exchange) after() exchange {
	e.match = `"7.1"`
	return e
}

func TestRefusals(t *testing.T) {
	dir := sample(t)
	for _, c := range []struct {
		status              int
		answer, errs, wants string
	}{
		{401, `{"code":"unauthorized","detail":"A token is needed."}`, "", "SERVER does not take this token"},
		{403, `{"code":"forbidden","detail":"Importing without dry_run needs the role admin."}`, "", "SERVER does not allow this with the role of this token: Importing without dry_run needs the role admin."},
		{409, `{"code":"archived","detail":"Archiving is final.","errors":[{"pointer":"/popups/1/key","detail":"is archived"}]}`, "popups/a.yaml:1:1: key is archived\n", "SERVER refuses 1 member, nothing was changed: Archiving is final."},
		{412, `{"code":"stale_revision","detail":"x"}`, "", "something has been changed on SERVER since the files were compared with it; nothing was applied: see popupd popups diff, and apply again"},
		{413, `{"code":"body_too_large","detail":"The body is longer than 64 MiB."}`, "", "SERVER answers 413, nothing was changed: The body is longer than 64 MiB."},
		{422, `{"code":"invalid_fields","detail":"Some fields are not valid.","errors":[{"pointer":"/popups/1/targeting/all/0/op","detail":"must be wanted"},{"pointer":"/audiences/0/rule","detail":"is a circle"},{"pointer":"/settings/caps","detail":"x\u001b"},{"pointer":"/source","detail":"too long"}]}`,
			"popups/a.yaml:5:20: targeting/all/0/op must be wanted\nall.yaml:5:1: rule is a circle\nall.yaml:1:1: caps x�\nsource too long\n", "SERVER refuses 4 members, nothing was changed: Some fields are not valid."},
		{503, `{"code":"store_unavailable","detail":"The database is away."}`, "", "SERVER answers 503, nothing was changed: The database is away."},
		{404, `{"code":"not_found","detail":"x"}`, "", "SERVER answers 404 Not Found: is it the control plane of a popupd that can export and import?"},
		{307, ``, "", "SERVER answers 307 Temporary Redirect: is it the control plane of a popupd that can export and import?"},
		{200, `<html>`, "", "SERVER does not answer as popupd does"},
		{200, `{}`, "", "SERVER does not answer as popupd does"},
	} {
		for _, exchanges := range [][]exchange{{{dryRun, "", c.status, c.answer}}, {{dryRun, "", 200, answer}, {put, `"7.1"`, c.status, c.answer}}} {
			out, errs, _, err := run(t, cli.Popups{Command: "apply", Path: dir}, dir, exchanges...)
			if out != "" || errs != c.errs || err == nil || err.Error() != c.wants || errors.Is(err, cli.ErrUsage) {
				t.Errorf("%d %s:\n%s%s%v\nwant\n%s%s", c.status, c.answer, out, errs, err, c.errs, c.wants)
			}
		}
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	if _, _, _, err := run(t, cli.Popups{Command: "diff", Path: dir, Server: gone.URL}, dir); err == nil || !strings.HasPrefix(err.Error(), "no answer from "+gone.URL) {
		t.Errorf("a server that is away: %v", err)
	}
}

func TestMistakesAreNotSent(t *testing.T) {
	dir := files(t, "a.yaml", "key: a\nname: 1", "b.yaml", "key: B")
	out, errs, _, err := run(t, cli.Popups{Command: "apply", Path: dir}, dir)
	if out != "" || err == nil || err.Error() != "2 mistakes in the files, nothing was sent" ||
		errs != "a.yaml:2:1: name must be a string\nb.yaml:1:1: key must be 1 to 64 of a-z, 0-9 and -, the first not -\n" {
		t.Errorf("%s%s%v", out, errs, err)
	}
	if _, _, _, err := run(t, cli.Popups{Command: "diff", Path: filepath.Join(dir, "none")}, dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
