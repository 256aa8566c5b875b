package popup

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestPrunes(t *testing.T) {
	for _, c := range []struct {
		source, mark string
		want         bool
	}{
		{"acme", "acme", true},
		{"acme", "acme:a.yaml", true},
		{"acme", "acme:popups/a.yaml@3f2a", true},
		{"acme", "acme@3f2a", true},
		{"acme", "acme#a", true},
		{"acme@4b1c", "acme@3f2a", true},
		{"acme@4b1c", "acme:a.yaml@3f2a", true},
		{"git@host:acme/popups", "git@host:acme/popups:a.yaml@3f2a", true},
		{"acme", "acme/mobile:a.yaml", false},
		{"acme", "acme/mobile", false},
		{"acme", "acme-two:a.yaml", false},
		{"acme/mobile", "acme:a.yaml", false},
		{"git", "git@host:acme/popups:a.yaml", false},
		{"acme", "", false},
	} {
		im := Import{Prune: true, Source: c.source}
		if got := im.Prunes(c.mark); got != c.want {
			t.Errorf("an import of %s prunes %q: %v, want %v", c.source, c.mark, got, c.want)
		}
	}
}

// What nobody needs is refused before it takes many times its size in memory.
func TestDecodeImportBounded(t *testing.T) {
	many := func(n int, element func(i int) string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(element(i))
		}
		return b.String()
	}
	ones := many(2<<20, func(int) string { return "1" })
	names := many(400_000, func(i int) string { return fmt.Sprintf(`"n%d":1`, i) })
	for _, c := range []struct{ document, pointer, detail string }{
		{`{"popups":[{"key":"a"},{"key":"b","tags":[` + ones + `]}]}`, "/popups/1", "is longer than 1 MiB"},
		{`{"settings":{"caps":[` + ones + `]}}`, "/settings", "is longer than 1 MiB"},
		{`{"audiences":[{"key":"a","rule":{"all":[` + ones + `]}}]}`, "/audiences/0", "is longer than 1 MiB"},
		{`{` + names + `}`, "/n0", "is not a known field"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := DecodeImport([]byte(c.document))
		runtime.ReadMemStats(&after)
		fields, _ := errors.AsType[FieldErrors](err)
		if len(fields) == 0 || fields[0] != (FieldError{Pointer: c.pointer, Detail: c.detail}) {
			t.Errorf("%.40s…: %.200v, want %s %s", c.document, err, c.pointer, c.detail)
		}
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(15*len(c.document)); took > most {
			t.Errorf("%.40s… of %d bytes takes %d, want at most %d", c.document, len(c.document), took, most)
		}
	}
}
