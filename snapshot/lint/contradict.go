package lint

import (
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// contradict reports whether it is proved that nothing a request says of one attribute,
// or that it says nothing, meets all of these literals of it. An attribute that is not
// built in may be a set: each literal that has to be passed may be passed by another
// member, and no member passes one that has not to be.
func contradict(literals []literal) bool {
	if len(literals) == 0 || isSingle(literals[0].condition.Attr) {
		return noSingle(literals)
	}
	if allMet(literals, nil) {
		return false
	}
	var failing []literal
	for _, l := range literals {
		if _, must := l.positive(); !must {
			failing = append(failing, l)
		}
	}
	return slices.ContainsFunc(literals, func(l literal) bool {
		_, must := l.positive()
		return must && noValue(append(failing[:len(failing):len(failing)], l))
	})
}

// noSingle is contradict for an attribute of one value or none.
func noSingle(literals []literal) bool {
	if len(literals) == 0 {
		return false
	}
	return !(mayBeMissing(literals[0].condition.Attr) && allMet(literals, nil)) && noValue(literals)
}

// isSingle reports whether an attribute has one value at most. A user may be in many audiences.
func isSingle(attr string) bool { return isBuiltin(attr) && attr != popup.AudienceAttr }

// mayBeMissing reports whether there are polls without the attribute.
func mayBeMissing(attr string) bool { return attr != "uid" }

// noValue is contradict for a value that is there.
func noValue(literals []literal) bool {
	p := sortPassing(literals)
	switch {
	case p.mustBeMissing:
		return true
	case len(p.equal) > 0 && p.noEqual(literals):
		return true
	}
	return len(p.equal) == 0 && p.noNumber() || p.noVersion() || p.noTime() || p.noAddress() || p.noKind() || p.noText()
}

// passing are literals by operator: what a value has to pass, and what it has not to.
// Failing a comparison is passing its opposite only for a value that is a number, a
// version or a time, which it has to be if there is one to pass.
type passing struct {
	mustBeMissing             bool
	equal, notEqual           []*literal
	compare, notCompare       []*literal // gt gte lt lte
	versions, notVersions     []*literal // semver_*
	times, notTimes           []*literal // before after
	ages, notAges             []*literal // older_than newer_than
	networks, notNetworks     []*literal
	prefixes, notPrefixes     []part
	suffixes, notSuffixes     []part
	substrings, notSubstrings []part
	attr                      string
}

func sortPassing(literals []literal) *passing {
	p := &passing{attr: literals[0].condition.Attr}
	for i := range literals {
		l := &literals[i]
		op, must := l.positive()
		switch op {
		case popup.Exists:
			p.mustBeMissing = p.mustBeMissing || !must
		case popup.Eq, popup.In:
			add(&p.equal, &p.notEqual, must, l)
		case popup.Gt, popup.Gte, popup.Lt, popup.Lte:
			add(&p.compare, &p.notCompare, must, l)
		case popup.SemverEq, popup.SemverGt, popup.SemverGte, popup.SemverLt, popup.SemverLte:
			add(&p.versions, &p.notVersions, must, l)
		case popup.Before, popup.After:
			add(&p.times, &p.notTimes, must, l)
		case popup.OlderThan, popup.NewerThan:
			add(&p.ages, &p.notAges, must, l)
		case popup.InCIDR:
			add(&p.networks, &p.notNetworks, must, l)
		case popup.Prefix:
			add(&p.prefixes, &p.notPrefixes, must, newPart(l.condition))
		case popup.Suffix:
			add(&p.suffixes, &p.notSuffixes, must, newPart(l.condition))
		case popup.Contains:
			add(&p.substrings, &p.notSubstrings, must, newPart(l.condition))
		}
	}
	return p
}

func add[T any](passed, failed *[]T, must bool, v T) {
	if must {
		*passed = append(*passed, v)
	} else {
		*failed = append(*failed, v)
	}
}

// noEqual decides for values that have to equal one of a list. Texts are tried one by
// one. A number can be written in many ways, and a text in many letter cases, of which it
// is only known what all of them have in common.
func (p *passing) noEqual(literals []literal) bool {
	var numbers []float64
	unsure := false
	for i, l := range p.equal {
		texts, n := l.equal()
		if l.condition.IgnoreCase {
			if slices.ContainsFunc(texts, func(text []byte) bool { return p.mayBeInSomeCase(string(text)) }) {
				unsure = true
				continue
			}
		} else if slices.ContainsFunc(texts, func(text []byte) bool { return p.isPossible(text) && allMet(literals, text) }) {
			return false
		}
		if len(n) == 0 {
			return true // it was one of the texts or nothing
		}
		if i == 0 {
			numbers = n
		}
	}
	return !unsure && (!slices.ContainsFunc(numbers, p.mayBeNumber) || p.needsOther(numeric))
}

// isPossible reports whether a request can have a text as its value of the attribute.
func (p *passing) isPossible(text []byte) bool {
	switch p.attr {
	case "uid":
		return popup.ValidUserID(text)
	case "app_version":
		return isVersion(string(text)) // others count as missing
	}
	return true
}

// mayHave reports whether a value of the attribute may have a text in it.
func (p *passing) mayHave(text string) bool {
	switch p.attr {
	case "uid":
		return len(text) <= popup.MaxUserID
	case "app_version":
		return strings.Trim(text, versional) == ""
	}
	return true
}

// mayBeInSomeCase reports whether a text may pass if its letters may be upper and lower case.
func (p *passing) mayBeInSomeCase(text string) bool {
	folded := snapshot.Folded(text)
	names := func(l *literal) bool {
		texts, _ := l.equal()
		return slices.ContainsFunc(texts, func(t []byte) bool { return snapshot.Folded(string(t)) == folded })
	}
	for _, l := range p.equal {
		if !names(l) && !l.met([]byte(text)) { // numbers are the same in any letter case
			return false
		}
	}
	for _, l := range p.notEqual {
		if l.condition.IgnoreCase && names(l) {
			return false
		}
	}
	for _, l := range slices.Concat(p.compare, p.notCompare, p.times, p.notTimes, p.networks, p.notNetworks) { // as times and addresses are
		if !l.met([]byte(text)) {
			return false
		}
	}
	return p.isPossible([]byte(folded)) && p.mayHaveParts(folded)
}

// mayBeNumber reports whether a text that is read as this number may pass, which is
// none of the texts of the lists.
func (p *passing) mayBeNumber(n float64) bool {
	for _, l := range p.equal {
		if _, numbers := l.equal(); !slices.Contains(numbers, n) {
			return false
		}
	}
	for _, l := range p.notEqual {
		if _, numbers := l.equal(); slices.Contains(numbers, n) {
			return false
		}
	}
	least, most := p.interval()
	return least <= n && n <= most
}
