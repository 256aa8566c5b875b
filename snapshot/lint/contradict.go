package lint

import (
	"math"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// contradict reports whether it is proved that nothing a request says of one attribute,
// or that it says nothing, meets all of these literals of it.
func contradict(literals []literal) bool {
	if len(literals) == 0 {
		return false
	}
	return !(mayBeMissing(literals[0].condition.Attr) && allMet(literals, nil)) && noValue(literals)
}

// mayBeMissing reports whether there are polls without the attribute.
func mayBeMissing(attr string) bool { return attr != "uid" }

// noValue is contradict for a value that is there.
func noValue(literals []literal) bool {
	p := sortPassing(literals)
	switch {
	case p.mustBeMissing:
		return true
	case len(p.equal) > 0:
		return p.noEqual(literals)
	}
	return p.noNumber() || p.noVersion() || p.noText()
}

// passing are literals by operator: what a value has to pass, and what it has not to.
// Failing a comparison is passing its opposite only for a value that is a number or a
// version, which it has to be if there is one to pass.
type passing struct {
	mustBeMissing             bool
	equal, notEqual           []*literal
	compare, notCompare       []*literal // gt gte lt lte
	versions, notVersions     []*literal // semver_gte semver_lt
	prefixes, notPrefixes     []string
	suffixes, notSuffixes     []string
	substrings, notSubstrings []string
	isUID                     bool
}

func sortPassing(literals []literal) *passing {
	p := &passing{isUID: literals[0].condition.Attr == "uid"}
	for i := range literals {
		l := &literals[i]
		op, must := l.positive()
		text, _ := l.condition.Value.(string)
		if l.condition.IgnoreCase {
			continue // passed by more texts than it names
		}
		switch op {
		case popup.Exists:
			p.mustBeMissing = p.mustBeMissing || !must
		case popup.Eq, popup.In:
			add(&p.equal, &p.notEqual, must, l)
		case popup.Gt, popup.Gte, popup.Lt, popup.Lte:
			add(&p.compare, &p.notCompare, must, l)
		case popup.SemverGte, popup.SemverLt:
			add(&p.versions, &p.notVersions, must, l)
		case popup.Prefix:
			add(&p.prefixes, &p.notPrefixes, must, text)
		case popup.Suffix:
			add(&p.suffixes, &p.notSuffixes, must, text)
		case popup.Contains:
			add(&p.substrings, &p.notSubstrings, must, text)
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
// one. A number can be written in many ways, of which it is only known what all of them
// have in common.
func (p *passing) noEqual(literals []literal) bool {
	var numbers []float64
	for i, l := range p.equal {
		texts, n := l.equal()
		if slices.ContainsFunc(texts, func(text []byte) bool { return p.isPossible(text) && allMet(literals, text) }) {
			return false
		}
		if len(n) == 0 {
			return true // it was one of the texts or nothing
		}
		if i == 0 {
			numbers = n
		}
	}
	return !slices.ContainsFunc(numbers, p.mayBeNumber) || p.needsOther(numeric)
}

// isPossible reports whether a request can have a text.
func (p *passing) isPossible(text []byte) bool { return !p.isUID || popup.ValidUserID(text) }

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

// interval returns the least and the greatest number that pass the comparisons.
func (p *passing) interval() (least, most float64) {
	least, most = math.Inf(-1), math.Inf(1)
	bound := func(l *literal, passes bool) {
		n, _ := popup.Number(l.condition.Value)
		switch op := l.condition.Op; {
		case op == popup.Gt && passes, op == popup.Lte && !passes:
			least = max(least, math.Nextafter(n, math.Inf(1)))
		case op == popup.Gte && passes, op == popup.Lt && !passes:
			least = max(least, n)
		case op == popup.Lt && passes, op == popup.Gte && !passes:
			most = min(most, math.Nextafter(n, math.Inf(-1)))
		default:
			most = min(most, n)
		}
	}
	for _, l := range p.compare {
		bound(l, true)
	}
	for _, l := range p.notCompare {
		bound(l, false)
	}
	return least, most
}

// noNumber decides for values that are compared as numbers.
func (p *passing) noNumber() bool {
	if len(p.compare) == 0 {
		return false
	}
	least, most := p.interval()
	return least > most || least == most && !p.mayBeNumber(least) || p.needsOther(numeric)
}

// noVersion decides for values that are compared as versions.
func (p *passing) noVersion() bool {
	if len(p.versions) == 0 {
		return false
	}
	least, _ := popup.ParseVersion([]byte("0-0")) // comes before all others
	var below *popup.Version
	bound := func(l *literal, passes bool) {
		v, _ := popup.ParseVersion([]byte(l.condition.Value.(string)))
		if (l.condition.Op == popup.SemverGte) == passes {
			if v.Compare(&least) > 0 {
				least = v
			}
		} else if below == nil || v.Compare(below) < 0 {
			below = &v
		}
	}
	for _, l := range p.versions {
		bound(l, true)
	}
	for _, l := range p.notVersions {
		bound(l, false)
	}
	return below != nil && below.Compare(&least) <= 0 || p.needsOther(versional)
}

// What numbers and versions consist of.
const (
	numeric   = "0123456789+-.eE"
	versional = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.+ "
)

// needsOther reports whether a value has other bytes than these to have.
func (p *passing) needsOther(than string) bool {
	return slices.ContainsFunc(slices.Concat(p.prefixes, p.suffixes, p.substrings), func(s string) bool { return strings.Trim(s, than) != "" })
}

// noText decides for values that begin with, end with and contain texts.
func (p *passing) noText() bool {
	for _, s := range p.prefixes {
		for _, other := range p.prefixes {
			if !strings.HasPrefix(s, other) && !strings.HasPrefix(other, s) {
				return true
			}
		}
		if slices.ContainsFunc(p.notPrefixes, func(not string) bool { return strings.HasPrefix(s, not) }) {
			return true
		}
	}
	for _, s := range p.suffixes {
		for _, other := range p.suffixes {
			if !strings.HasSuffix(s, other) && !strings.HasSuffix(other, s) {
				return true
			}
		}
		if slices.ContainsFunc(p.notSuffixes, func(not string) bool { return strings.HasSuffix(s, not) }) {
			return true
		}
	}
	return slices.ContainsFunc(slices.Concat(p.prefixes, p.suffixes, p.substrings), func(s string) bool {
		return p.isUID && len(s) > popup.MaxUserID ||
			slices.ContainsFunc(p.notSubstrings, func(not string) bool { return strings.Contains(s, not) })
	})
}
