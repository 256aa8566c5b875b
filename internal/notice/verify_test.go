package notice

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// nodeModules has the npm package standardwebhooks, beside those of the generated clients.
const nodeModules = "../../docs/clients/typescript/node_modules"

// snippet returns the only block of a language in the document.
func snippet(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```"+language+"\n")
	block, _, ends := strings.Cut(rest, "```")
	if !ok || !ends {
		t.Fatalf("docs/webhooks.md has no block of %s", language)
	}
	return block
}

// verifiers are programs made of the snippets. Each reads what a receiver got from a file
// and ends with 0 if popupd has sent it, with 3 if not.
var verifiers = []struct {
	language, program, file string
	rest                    string // after the snippet
}{
	{"js", "node", "verify.mjs", `
import { readFileSync } from "node:fs";
const got = JSON.parse(readFileSync(process.argv[2], "utf8"));
try {
  if (receive(got.headers, got.body).type !== "popup.published") process.exit(4);
} catch (e) {
  process.exit(e.name === "WebhookVerificationError" ? 3 : 5);
}
`},
	{"python", "python3", "verify.py", `
import json, os, sys
got = json.load(open(sys.argv[1]))
sys.exit(0 if verified(os.environ["WEBHOOK_SECRET"], got["headers"], got["body"].encode()) else 3)
`},
}

// TestVerifiers runs the snippets of the document, that of npm's standardwebhooks among them,
// on what a receiver got, and on the same with another body.
func TestVerifiers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs other languages")
	}
	const other = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
	r := newReceiver(t, nil)
	s, _ := newTestSender(t, &memory{}, r.URL)
	n, _ := OfChange(changeOf(t, "", `{"key":"sale","name":"é <&> 价格","status":"active"}`))
	var err error
	if s.config.Secrets, err = ParseSecrets(other + "," + testSecret); err != nil {
		t.Fatal(err)
	}
	if a := s.post(t.Context(), popup.Notice{ID: n.ID, Body: n.Body}); !a.delivered() {
		t.Fatal(a)
	}
	headers := map[string]string{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers[name] = r.got[0].header.Get(name)
	}
	t.Run("go", func(t *testing.T) {
		compiled, err := os.ReadFile("verified_test.go")
		if _, function, _ := strings.Cut(snippet(t, "go"), "// verified "); err != nil || function == "" || !strings.Contains(string(compiled), function) {
			t.Errorf("the function of the document is not the one that is tested: %v", err)
		}
		body, foreign := []byte(r.got[0].body), "whsec_"+strings.Repeat("QUJD", 10)
		if h := r.got[0].header; !verified(testSecret, h, body) || !verified(other, h, body) || verified(foreign, h, body) || verified(other, h, append(body, ' ')) {
			t.Error("the function takes what is wrong, or refuses what is right")
		}
	})
	for _, v := range verifiers {
		t.Run(v.language, func(t *testing.T) {
			dir := t.TempDir()
			need(t, v.program, filepath.Join(nodeModules, "standardwebhooks"))
			text := snippet(t, v.language)
			modules, err := filepath.Abs(nodeModules)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, v.file), text+v.rest)
			args := []string{filepath.Join(dir, v.file)}
			for want, body := range map[int]string{0: r.got[0].body, 3: r.got[0].body + " "} {
				got, err := json.Marshal(map[string]any{"headers": headers, "body": body})
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, fmt.Sprint(want))
				write(t, path, string(got))
				run(t, want, testSecret, v.program, append(args, path)...)
			}
		})
	}
}

// need skips a test if a program or a directory is missing.
func need(t *testing.T, program, dir string) {
	t.Helper()
	_, err := exec.LookPath(program)
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err == nil {
		return
	}
	why := fmt.Sprintf("%v: apt-get install nodejs npm python3; npm ci --prefix docs/clients/typescript", err)
	if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a program that must end with a code.
func run(t *testing.T, want int, secret, program string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	c.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
	out, err := c.CombinedOutput()
	if code := c.ProcessState.ExitCode(); code != want {
		t.Errorf("%s %v under %.12s: %v, want code %d\n%s", program, args, secret, err, want, out)
	}
}
