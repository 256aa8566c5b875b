package cli

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParsePopups(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ParsePopups(strings.Fields("apply -f config -prune -source git@host:acme/popups@3f2a1c -token-file "+file), []string{"POPUPD_SERVER=https://popupd.example", "POPUPD_LISTEN=:1"}, io.Discard)
	if want := (Popups{Command: "apply", Server: "https://popupd.example", Token: "secret", Path: "config", Prune: true, Source: "git@host:acme/popups", Revision: "3f2a1c"}); err != nil || c != want {
		t.Errorf("%+v: %v, want %+v", c, err, want)
	}
	c, err = ParsePopups([]string{"diff"}, []string{"POPUPD_TOKEN=secret", "POPUPD_SOURCE=git@host:acme"}, io.Discard)
	if want := (Popups{Command: "diff", Server: "http://127.0.0.1:8081", Token: "secret", Path: "-", Source: "git@host:acme"}); err != nil || c != want {
		t.Errorf("%+v: %v, want %+v", c, err, want)
	}
	for args, want := range map[string]string{
		"":                                 "export, diff or apply",
		"import":                           `popups "import": want`,
		"diff":                             "no token",
		"diff -token x":                    "-token",
		"export -source x":                 "-source",
		"diff -source @1":                  "NAME",
		"diff -server localhost:8081":      "-server",
		"diff -f=":                         "-f",
		"export -prune":                    "-prune",
		"apply config":                     "config",
		"apply -token-file " + file + "no": "no such file",
	} {
		environ := []string{"POPUPD_TOKEN=secret"}
		if want == "no token" || want == "no such file" {
			environ = nil
		}
		_, err := ParsePopups(strings.Fields(args), environ, io.Discard)
		if err == nil || !errors.Is(err, ErrUsage) && want != "no such file" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want a mistake in %s", args, err, want)
		}
	}
	if _, err := ParsePopups([]string{"diff", "-token-file", file}, []string{"POPUPD_TOKEN=x"}, io.Discard); !errors.Is(err, ErrUsage) {
		t.Errorf("two tokens: %v", err)
	}
}

func TestPopupsHelp(t *testing.T) {
	for args, want := range map[string]string{
		"-h":         "exit code 3 if anything",
		"diff -help": "-source NAME",
		"export -h":  "Write to this path",
	} {
		var help strings.Builder
		if _, err := ParsePopups(strings.Fields(args), nil, &help); !errors.Is(err, flag.ErrHelp) || strings.Count(help.String(), "usage: popupd popups export") != 1 || !strings.Contains(help.String(), want) {
			t.Errorf("%s: %v\n%s", args, err, help.String())
		}
	}
}

func TestExitOfDifferences(t *testing.T) {
	var b strings.Builder
	if code := Exit(&b, ErrDiffers); code != 3 || b.Len() > 0 {
		t.Errorf("exit code %d, %q", code, b.String())
	}
}
