package lint

import (
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// part is a text that a value begins with, ends with or contains.
type part struct {
	text, folded string
	folds        bool // in any letter case
}

func newPart(c *popup.Condition) part {
	text := c.Value.(string)
	return part{text, snapshot.Folded(text), c.IgnoreCase}
}

// least returns the text as it has the fewest bytes.
func (p *part) least() string {
	if p.folds {
		return p.folded
	}
	return p.text
}

// has reports whether every value that has p has o too, by a rule such as [strings.HasPrefix].
func (p *part) has(o *part, rule func(s, o string) bool) bool {
	if o.folds {
		return rule(p.folded, o.folded)
	}
	return !p.folds && rule(p.text, o.text)
}

// clashes reports whether no value has both, at the same end.
func (p *part) clashes(o *part, rule func(s, o string) bool) bool {
	if p.folds || o.folds {
		return !rule(p.folded, o.folded) && !rule(o.folded, p.folded)
	}
	return !rule(p.text, o.text) && !rule(o.text, p.text)
}

// noText decides for values that begin with, end with and contain texts.
func (p *passing) noText() bool {
	return noEnd(p.prefixes, p.notPrefixes, strings.HasPrefix) || noEnd(p.suffixes, p.notSuffixes, strings.HasSuffix) ||
		slices.ContainsFunc(p.parts(), func(s part) bool {
			return !p.mayHave(s.least()) ||
				slices.ContainsFunc(p.notSubstrings, func(not part) bool { return s.has(&not, strings.Contains) })
		})
}

// noEnd decides for values that begin with texts, or end with them.
func noEnd(ends, not []part, rule func(s, o string) bool) bool {
	return slices.ContainsFunc(ends, func(s part) bool {
		return slices.ContainsFunc(ends, func(other part) bool { return s.clashes(&other, rule) }) ||
			slices.ContainsFunc(not, func(not part) bool { return s.has(&not, rule) })
	})
}

// mayHaveParts reports whether a text, in some letter case, may pass: this is its folded form.
func (p *passing) mayHaveParts(folded string) bool {
	for _, group := range []struct {
		passed, failed []part
		rule           func(s, o string) bool
	}{
		{p.prefixes, p.notPrefixes, strings.HasPrefix}, {p.suffixes, p.notSuffixes, strings.HasSuffix}, {p.substrings, p.notSubstrings, strings.Contains},
	} {
		if slices.ContainsFunc(group.passed, func(s part) bool { return !group.rule(folded, s.folded) }) ||
			slices.ContainsFunc(group.failed, func(s part) bool { return s.folds && group.rule(folded, s.folded) }) {
			return false
		}
	}
	return true
}

// parts are all that a value has to have.
func (p *passing) parts() []part { return slices.Concat(p.prefixes, p.suffixes, p.substrings) }

// needsOther reports whether a value has other bytes than these to have.
func (p *passing) needsOther(than string) bool {
	return slices.ContainsFunc(p.parts(), func(s part) bool { return strings.Trim(s.least(), than) != "" })
}
