package snapshot

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFolded(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain 123": "PLAIN 123", "PrO": "PRO", "straße": "STRASSE", "STRA\u1e9eE": "STRA\u00dfE", "\u212aelvin": "KELVIN", "\u017fharp": "SHARP",
		"ΣΊΣΥΦΟΣ": "ΣΊΣΥΦΟΣ", "σίσυφος": "ΣΊΣΥΦΟΣ", "ⱥ": "Ⱥ", "İ": "İ", "ı": "ı", "дом": "ДОМ", "上海": "上海", "a\xffb\xc3": "A\xffB\xc3", "\ufffd": "\ufffd",
	} {
		if text == "straße" {
			want = "STRA\u00dfE" // one character stays one
		}
		got := string(appendFolded(nil, []byte(text)))
		if got != want {
			t.Errorf("%q is folded to %q, want %q", text, got, want)
		}
	}
}

// TestEveryCharacterIsFoldedLikeEqualFold holds all characters, and all that differ from
// them in letter case, against package strings.
func TestEveryCharacterIsFoldedLikeEqualFold(t *testing.T) {
	seen := map[string]string{} // the first character of each fold
	for r := rune(0); r <= utf8.MaxRune; r++ {
		text := string(r)
		folded := string(appendFolded(nil, []byte(text)))
		if len(folded) > len(text) {
			t.Fatalf("%q has %d bytes, folded %d", text, len(text), len(folded))
		}
		if !strings.EqualFold(text, folded) {
			t.Fatalf("%q is folded to %q", text, folded)
		}
		if first := seen[folded]; first == "" {
			seen[folded] = text
		} else if !strings.EqualFold(text, first) {
			t.Fatalf("%q and %q are folded alike", text, first)
		}
		for _, other := range []string{strings.ToUpper(text), strings.ToLower(text)} {
			if strings.EqualFold(text, other) && string(appendFolded(nil, []byte(other))) != folded {
				t.Fatalf("%q and %q are not folded alike", text, other)
			}
		}
	}
}

func FuzzFolded(f *testing.F) {
	f.Add("Straße", "STRASSE")
	f.Add("K", "\u212a")
	f.Add("\xff", "\ufffd")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := string(appendFolded(nil, []byte(a))) == string(appendFolded(nil, []byte(b)))
		if want := strings.EqualFold(a, b); got != want && utf8.ValidString(a) && utf8.ValidString(b) {
			t.Fatalf("%q and %q: equal %v, want %v", a, b, got, want)
		}
	})
}
