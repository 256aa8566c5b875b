package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteWrapsPages(t *testing.T) {
	words := strings.Repeat("word ", 31) // 155 characters
	code := "`" + strings.Repeat("a b ", 41) + "`"
	long := strings.Repeat("x", 170)
	tests := []struct{ name, text, want string }{
		{"a.md", words + "last\n", words + "last\n"},
		{"a.md", words + "more words\nnext\n", words + "more\nwords\nnext\n"},
		{"a.md", "- " + words + "more words", "- " + strings.TrimSuffix(words, " ") + "\n  more words"},
		{"a.md", "see " + code + " there", "see\n" + code + "\nthere"},
		{"a.md", long + " y", long + "\ny"},
		{"a.md", "- " + long, "- " + long},
		{"a.md", "| " + words + words + "|\n", "| " + words + words + "|\n"},
		{"a.svg", words + words, words + words},
	}
	for _, test := range tests {
		dir := filepath.Join(t.TempDir(), "new")
		if err := Write(dir, test.name, test.text); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, test.name))
		if err != nil || string(got) != test.want {
			t.Errorf("%s of %q:\ngot  %q, %v\nwant %q", test.name, test.text, got, err, test.want)
		}
	}
}
