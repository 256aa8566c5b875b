package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseExplain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-uid", "u", "-placement", "top,side", "-attr", "plan=pro", "-attr", "tag=a=b", "-attr", "tag=", "-at", "2026-12-24T18:00:00+01:00", "-token-file", file}
	c, err := ParseExplain(args, []string{"POPUPD_SERVER=https://popupd.example", "POPUPD_ADMIN_LISTEN=:1"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.UID != "u" || c.Token != "secret" || c.Server != "https://popupd.example" || c.Limit != 50 ||
		!slices.Equal(c.Placements, []string{"top", "side"}) || !slices.Equal(c.Attrs, []Attr{{"plan", "pro"}, {"tag", "a=b"}, {"tag", ""}}) {
		t.Errorf("%+v", c)
	}
	for args, want := range map[string]string{
		"":                                       "-uid",
		"-uid u":                                 "-token-file",
		"-uid u -token x -at now":                "-at",
		"-uid u -token x -server localhost:8081": "-server",
		"-uid u -token x -limit 501":             "-limit",
		"-uid u -token x -attr plan":             "NAME=VALUE",
		"-uid u -token x -placement a,,b":        "names",
		"-uid u -token x extra":                  "extra",
	} {
		_, err := ParseExplain(strings.Fields(args), nil, io.Discard)
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want a mistake in %s", args, err, want)
		}
	}
	if _, err := ParseServe(nil, []string{"POPUPD_UID=u"}, io.Discard); err != nil {
		t.Errorf("serve with a variable of explain: %v", err)
	}
}
