package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secretFile writes a file with this mode, whatever the umask.
func secretFile(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s3cret-name")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretFiles(t *testing.T) {
	private, shared := secretFile(t, "\n  new, old \r\n", 0o400), secretFile(t, "b:6379,c:6379", 0o640)
	args := []string{"-secret-file", private, "-admin-token-file=" + private}
	env := []string{"POPUPD_IDENTITY_SECRET_FILE=" + private, "POPUPD_MYSQL_FILE=" + shared, "POPUPD_REDIS_FILE=" + shared, "POPUPD_SECRET="}
	c, err := ParseServe(args, env, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Secret, c.AdminToken, c.IdentitySecret, c.MySQL, c.Redis, strings.Join(c.Exposed, ", ")}
	want := []string{"new, old", "new, old", "new, old", "b:6379,c:6379", "b:6379,c:6379", shared + ", " + shared}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got, want)
			break
		}
	}
	if d, err := ParseDoctor([]string{"-redis-file", shared}, env, io.Discard); err != nil || d.MySQL != "b:6379,c:6379" || d.Redis != d.MySQL {
		t.Errorf("doctor: %+v, %v", d, err)
	}
}

// A mistake is one line that names the flag and the file, and shows nothing of
// what is in the file.
func TestSecretFileRefused(t *testing.T) {
	good, gone := secretFile(t, "hunter2", 0o600), filepath.Join(t.TempDir(), "gone")
	for _, c := range []struct {
		name string
		args []string
		env  string
		code int
		says []string
	}{
		{"both", []string{"-secret=x", "-secret-file", good}, "", 2, []string{"-secret and -secret-file exclude each other"}},
		{"both, as variable", []string{"-admin-token-file", good}, "POPUPD_ADMIN_TOKEN=x", 2, []string{"-admin-token and -admin-token-file exclude each other"}},
		{"both, file as variable", []string{"-identity-secret=x"}, "POPUPD_IDENTITY_SECRET_FILE=" + good, 2, []string{"exclude each other"}},
		{"not there", []string{"-secret-file", gone}, "", 1, []string{"-secret-file", gone}},
		{"a directory", []string{"-secret-file", t.TempDir()}, "", 1, []string{"-secret-file", "is a directory"}},
		{"empty", []string{"-admin-token-file", secretFile(t, " \n\t\n", 0o600)}, "", 1, []string{"-admin-token-file", "is empty"}},
		{"two lines", []string{"-secret-file", secretFile(t, "hunter2\nhunter2\n", 0o600)}, "", 1, []string{"-secret-file", "more than one line"}},
		{"too long", []string{"-secret-file", secretFile(t, strings.Repeat("hunter2", 10_000), 0o600)}, "", 1, []string{"-secret-file", "longer"}},
		{"without end", []string{"-secret-file", "/dev/zero"}, "", 1, []string{"-secret-file", "longer"}},
		{"identity without a key", []string{"-identity=enforce", "-identity-secret-file", gone}, "", 1, []string{gone}},
		{"an empty key", []string{"-secret-file", secretFile(t, "hunter2,", 0o600)}, "", 2, []string{"-secret", "new,old"}},
		{"an empty identity key", []string{"-identity=monitor", "-identity-secret=hunter2,,hunter2"}, "", 2, []string{"-identity-secret", "new,old"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr strings.Builder
			_, err := ParseServe(c.args, []string{c.env}, io.Discard)
			code := Exit(&stderr, err)
			line := stderr.String()
			if code != c.code || strings.Count(line, "\n") != 1 {
				t.Errorf("exit code %d, %q; want %d and one line", code, line, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(line, want) {
					t.Errorf("%q does not say %q", line, want)
				}
			}
			if strings.Contains(line, "hunter2") {
				t.Errorf("%q shows what is in the file", line)
			}
		})
	}
	if os.Getuid() != 0 { // root reads everything
		if _, err := ParseServe([]string{"-secret-file", secretFile(t, "x", 0)}, nil, io.Discard); !errors.Is(err, os.ErrPermission) {
			t.Errorf("unreadable: %v", err)
		}
	}
}

// FuzzSecretFile: what is in a file is taken without the space around it, if it
// is one line.
func FuzzSecretFile(f *testing.F) {
	f.Add([]byte(" new,old \r\n"))
	f.Add([]byte("a\nb"))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := readSecretFrom(bytes.NewReader(content))
		want := strings.TrimSpace(string(content))
		valid := want != "" && !strings.ContainsAny(want, "\r\n\x00") && len(content) <= maxSecret
		if valid != (err == nil) || valid && got != want {
			t.Fatalf("%q holds %q, %v", content, got, err)
		}
		if err != nil && len(want) > 8 && strings.Contains(err.Error(), want) {
			t.Fatalf("the error shows what is in the file: %v", err)
		}
	})
}
