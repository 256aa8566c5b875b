package snapshot

import (
	"unicode"
	"unicode/utf8"
)

// Folded returns a text as conditions compare it that ignore letter case.
func Folded(text string) string { return string(appendFolded(nil, []byte(text))) }

// appendFolded appends a text with each character replaced by the first one, by number,
// of those that differ in letter case only: Unicode's simple case folding, as
// [strings.EqualFold] has it. Two texts are equal without regard to letter case if these
// are equal. It is never longer than the text; bytes that are no UTF-8 stay as they are.
func appendFolded(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, c)
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += size
	}
	return dst
}

// foldRune returns the first of the characters that differ from r in letter case only.
func foldRune(r rune) rune {
	first := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		first = min(first, other)
	}
	return first
}
