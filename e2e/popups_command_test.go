//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/testbed"
)

// filesPage is what these tests run the commands and files of.
const filesPage = "../docs/config-as-code.md"

// block returns the first block of a page that is in a language and begins so.
func block(t *testing.T, page, language, begin string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		if strings.HasPrefix(string(match[1]), begin) {
			return string(match[1])
		}
	}
	t.Fatalf("%s has no block of %s that begins with %q", page, language, begin)
	return ""
}

// TestPopupsCommand runs the commands of docs/config-as-code.md as the page has them, beside
// -demo, and holds what they print against the page.
func TestPopupsCommand(t *testing.T) {
	s := start(t, "-demo")
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shell := func(script string, wantCode int, wanted ...string) {
		t.Helper()
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(testbed.Environ(), "PATH="+dir+"/bin:"+os.Getenv("PATH"), "POPUPD_SERVER="+s.adminURL, "POPUPD_TOKEN_FILE=popupd-data/admin-token")
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != wantCode {
			t.Fatalf("%s\nexit code %d, want %d:\n%s", script, code, wantCode, out)
		}
		for _, want := range wanted {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s\nprints\n%s\nwant in it\n%s", script, out, want)
			}
		}
	}
	write("popupd-data/admin-token", adminToken)
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, "bin/popupd")); err != nil {
		t.Fatal(err)
	}

	shell("popupd popups export -f config && popupd popups diff -f config && popupd popups apply -f config", 0, "nothing differs, 19 unchanged: revision 18\n")
	printed := block(t, filesPage, "text", "~ popup spring-sale")
	shell(block(t, filesPage, "sh", "export POPUPD_TOKEN_FILE"), 0, printed, "0 created, 1 changed, 0 archived, 18 unchanged: revision 19\n")
	shell("popupd popups diff -f config", 0)

	// Somebody changes it past the files, and then the files are made to say the same.
	s.configure(`{"min_gap_sec":7}`)
	shell("popupd popups diff -f config", 3, "min_gap_sec: 7 -> 0")
	shell("popupd popups export -f config", 0, "config/settings.yaml: written\n1 written, 0 removed, 18 unchanged")
	shell("popupd popups diff -f config", 0)

	// The example of the page, and what is in no file any more.
	write("page/all.yaml", block(t, filesPage, "yaml", "kind: popup"))
	write("page/hello.json", `{"key":"hello","status":"active","placements":["page"]}`)
	shell("popupd popups apply -f page -source acme/popups@1", 0, "+ popup hello, page/hello.json:1:1", "min_gap_sec: 7 -> 3600")
	if p, err := s.ask("u", "placement=page"); p == nil || p.Popup.Key != "hello" {
		t.Errorf("after it was applied: %+v %v", p, err)
	}
	shell("rm page/hello.json && popupd popups diff -f page -prune -source acme/popups", 3, "- popup hello, version 1: it is in no file\n0 to create, 0 to change, 1 to archive")
	shell("popupd popups apply -f page -prune -source acme/popups@2", 0)
	if p, err := s.ask("u2", "placement=page"); p != nil || err != nil {
		t.Errorf("after it was archived: %+v %v", p, err)
	}
	write("page/hello.json", "{\"key\":\n \"hello\"}")
	shell("popupd popups apply -f page -source acme/popups", 1, "page/hello.json:1:2: key hello is archived")
	write("page/hello.json", "{\"key\":\n \"Hello\", \"x\": 1}")
	shell("popupd popups apply -f page", 1, "page/hello.json:1:2: key must be", "page/hello.json:2:11: x is not a known field\npopupd: 2 mistakes in the files, nothing was sent\n")
}
