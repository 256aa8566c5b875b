package popups

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/configfile"
)

const (
	get    = "GET /v1/admin/export"
	stocks = `{"revision":7,"popups":[{"id":1,"version":3,"updated_at":"2026-11-29T17:00:00Z","source":"","key":"a","status":"active","priority":5},{"key":"b","status":"draft"}],
		"settings":{"version":2,"updated_at":null,"min_gap_sec":5},"audiences":[{"key":"vip","version":1,"rule":{"all":[]}}]}`
)

// texts returns the files below a directory and what is in them.
func texts(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		file, _ := filepath.Rel(dir, name)
		all[filepath.ToSlash(file)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestExport(t *testing.T) {
	out, _, _, err := run(t, cli.Popups{Command: "export", Path: "-"}, t.TempDir(), exchange{get, "", 200, stocks})
	want := configfile.SchemaLine + "kind: settings\nmin_gap_sec: 5\n---\nkind: audience\nkey: vip\nrule: {}\n---\nkind: popup\nkey: a\nstatus: active\npriority: 5\n---\nkind: popup\nkey: b\nstatus: draft\n"
	if d := cmp.Diff(want, out); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "all.json")
	out, _, _, err = run(t, cli.Popups{Command: "export", Path: file}, dir, exchange{get, "", 200, stocks})
	if text, _ := os.ReadFile(file); err != nil || out != "all.json: 4 objects\n" || string(text[:28]) != "{\n  \"kind\": \"settings\",\n  \"m" {
		t.Errorf("%s %s %v", out, text, err)
	}
	if _, _, _, err := run(t, cli.Popups{Command: "export", Path: file, Prune: true}, dir, exchange{get, "", 200, stocks}); !errors.Is(err, cli.ErrUsage) {
		t.Errorf("prune a file: %v", err)
	}
}

func TestExportDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	out, errs, _, err := run(t, cli.Popups{Command: "export", Path: dir}, dir, exchange{get, "", 200, stocks})
	want := "settings.yaml: written\naudiences/vip.yaml: written\npopups/a.yaml: written\npopups/b.yaml: written\n4 written, 0 removed, 0 unchanged\n"
	if d := cmp.Diff(want, out); d != "" || errs != "" || err != nil {
		t.Errorf("%s %v (-want +got):\n%s", errs, err, d)
	}
	first := texts(t, dir)
	if d := cmp.Diff(map[string]string{
		"settings.yaml":      configfile.SchemaLine + "kind: settings\nmin_gap_sec: 5\n",
		"audiences/vip.yaml": configfile.SchemaLine + "kind: audience\nkey: vip\nrule: {}\n",
		"popups/a.yaml":      configfile.SchemaLine + "kind: popup\nkey: a\nstatus: active\npriority: 5\n",
		"popups/b.yaml":      configfile.SchemaLine + "kind: popup\nkey: b\nstatus: draft\n",
	}, first); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	out, _, _, err = run(t, cli.Popups{Command: "export", Path: dir}, dir, exchange{get, "", 200, stocks})
	if d := cmp.Diff(first, texts(t, dir)); d != "" || err != nil || out != "0 written, 0 removed, 4 unchanged\n" {
		t.Errorf("once more: %s %v %s", out, err, d)
	}
}

// TestExportBesideOthers exports into files as people write them: those that say the same
// stay as they are, with their comments, wherever they are.
func TestExportBesideOthers(t *testing.T) {
	same := "# why\npriority: 5.0\nkey: a\nstatus: active\n"
	dir := files(t, "mine/first.yaml", same, "mine/b.json", `{"key":"b","priority":1}`, "gone.yaml", "key: gone\n", "two.yaml", "kind: settings\n---\nkey: gone-too\n", "README.md", "")
	out, errs, _, err := run(t, cli.Popups{Command: "export", Path: dir}, dir, exchange{get, "", 200, stocks})
	want := `audiences/vip.yaml: written
mine/b.json: written
gone.yaml:1:1: popup gone is not on the server; -prune removes the file
two.yaml:3:1: popup gone-too is not on the server; -prune removes the file
2 written, 0 removed, 1 unchanged
`
	if d := cmp.Diff(want, out); d != "" || errs != "two.yaml:1:1: settings is another one on the server, and the file has others, too\n" || err == nil || err.Error() != "1 object to be changed by hand" {
		t.Errorf("%q %v (-want +got):\n%s", errs, err, d)
	}
	out, _, _, err = run(t, cli.Popups{Command: "export", Path: dir, Prune: true}, dir, exchange{get, "", 200, stocks})
	if want := "gone.yaml: removed\n0 written, 1 removed, 3 unchanged\n"; out != want || err == nil || err.Error() != "2 objects to be changed by hand" {
		t.Errorf("%s %v", out, err)
	}
	if d := cmp.Diff(map[string]string{
		"audiences/vip.yaml": configfile.SchemaLine + "kind: audience\nkey: vip\nrule: {}\n",
		"mine/first.yaml":    same,
		"mine/b.json":        "{\n  \"kind\": \"popup\",\n  \"key\": \"b\",\n  \"status\": \"draft\"\n}\n",
		"two.yaml":           "kind: settings\n---\nkey: gone-too\n",
		"README.md":          "",
	}, texts(t, dir)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestExportRefused(t *testing.T) {
	dir := files(t, "a.yaml", "key: A")
	out, errs, _, err := run(t, cli.Popups{Command: "export", Path: dir}, dir, exchange{get, "", 200, stocks})
	if out != "" || errs != "a.yaml:1:1: key must be 1 to 64 of a-z, 0-9 and -, the first not -\n" || err == nil || err.Error() != "1 mistake in the files that are there, nothing was written" {
		t.Errorf("%s%s%v", out, errs, err)
	}
	// A server's keys lead out of no directory.
	dir = t.TempDir()
	outside := filepath.Join(dir, "inside")
	for _, answer := range []string{`{"popups":[{"key":"../../x"}],"settings":{}}`, `{"popups":[{"key":"x/../../../y"}],"settings":{}}`, `{}`, `[]`} {
		if out, _, _, err := run(t, cli.Popups{Command: "export", Path: outside}, dir, exchange{get, "", 200, answer}); err == nil {
			t.Errorf("%s: %s", answer, out)
		}
	}
	if d := cmp.Diff(map[string]string{"inside/settings.yaml": configfile.SchemaLine + "kind: settings\n"}, texts(t, dir)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
