package lint

import (
	"math"
	"net/netip"
	"slices"

	"github.com/popupd/popupd/popup"
)

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
	b := versionBounds{}
	b.least, _ = popup.ParseVersion([]byte("0-0")) // comes before all others
	for _, l := range p.versions {
		b.pass(l)
	}
	for _, l := range p.notVersions {
		b.fail(l)
	}
	return b.isEmpty() || p.needsOther(versional)
}

// versionBounds are what versions have to lie between.
type versionBounds struct {
	least, most      popup.Version
	isAbove, isBelow bool // least and most are left out
	hasMost          bool
	except           []popup.Version
}

func (b *versionBounds) pass(l *literal) {
	v := version(l)
	switch l.condition.Op {
	case popup.SemverEq:
		b.from(v, false)
		b.to(v, false)
	case popup.SemverGt, popup.SemverGte:
		b.from(v, l.condition.Op == popup.SemverGt)
	default:
		b.to(v, l.condition.Op == popup.SemverLt)
	}
}

func (b *versionBounds) fail(l *literal) {
	v := version(l)
	switch l.condition.Op {
	case popup.SemverEq:
		b.except = append(b.except, v)
	case popup.SemverGt, popup.SemverGte:
		b.to(v, l.condition.Op == popup.SemverGte)
	default:
		b.from(v, l.condition.Op == popup.SemverLte)
	}
}

func version(l *literal) popup.Version {
	v, _ := popup.ParseVersion([]byte(l.condition.Value.(string)))
	return v
}

func (b *versionBounds) from(v popup.Version, isAbove bool) {
	if order := v.Compare(&b.least); order > 0 || order == 0 && isAbove {
		b.least, b.isAbove = v, isAbove
	}
}

func (b *versionBounds) to(v popup.Version, isBelow bool) {
	if order := v.Compare(&b.most); !b.hasMost || order < 0 || order == 0 && isBelow {
		b.most, b.isBelow, b.hasMost = v, isBelow, true
	}
}

// isEmpty reports whether there is certainly none between the bounds.
func (b *versionBounds) isEmpty() bool {
	if !b.hasMost {
		return false
	}
	switch order := b.most.Compare(&b.least); {
	case order < 0:
		return true
	case order > 0:
		return false
	}
	return b.isAbove || b.isBelow || slices.ContainsFunc(b.except, func(v popup.Version) bool { return v.Compare(&b.least) == 0 })
}

// noTime decides for values that are compared as times.
func (p *passing) noTime() bool {
	if len(p.times) == 0 && len(p.ages) == 0 {
		return false
	}
	// As far as a text of four digits for the year goes.
	least, _ := popup.ParseTime([]byte("0000-01-01T00:00:00+23:59"))
	most, _ := popup.ParseTime([]byte("9999-12-31T23:59:59.999-23:59"))
	bound := func(l *literal, passes bool) {
		ms, _ := popup.ParseTime([]byte(l.condition.Value.(string)))
		switch isAfter := l.condition.Op == popup.After; {
		case isAfter && passes:
			least = max(least, ms+1)
		case isAfter:
			most = min(most, ms)
		case passes:
			most = min(most, ms-1)
		default:
			least = max(least, ms)
		}
	}
	youngest, oldest := int64(math.MinInt64), int64(math.MaxInt64)
	boundAge := func(l *literal, passes bool) {
		ms, _ := popup.ParseAge(l.condition.Value.(string))
		switch isOlder := l.condition.Op == popup.OlderThan; {
		case isOlder && passes:
			youngest = max(youngest, ms+1)
		case isOlder:
			oldest = min(oldest, ms)
		case passes:
			oldest = min(oldest, ms-1)
		default:
			youngest = max(youngest, ms)
		}
	}
	for _, l := range p.times {
		bound(l, true)
	}
	for _, l := range p.notTimes {
		bound(l, false)
	}
	for _, l := range p.ages {
		boundAge(l, true)
	}
	for _, l := range p.notAges {
		boundAge(l, false)
	}
	return least > most || youngest > oldest || p.needsOther(temporal)
}

// noAddress decides for values that have to be in networks.
func (p *passing) noAddress() bool {
	if len(p.networks) == 0 {
		return false
	}
	var not []netip.Prefix
	for _, l := range p.notNetworks {
		not = append(not, l.networks()...)
	}
	isLeft := func(n netip.Prefix) bool { // no network of not has all of it
		return !slices.ContainsFunc(not, func(wide netip.Prefix) bool { return wide.Bits() <= n.Bits() && wide.Overlaps(n) })
	}
	for _, l := range p.networks {
		left := slices.DeleteFunc(l.networks(), func(n netip.Prefix) bool { return !isLeft(n) })
		for _, other := range p.networks {
			if !slices.ContainsFunc(left, func(n netip.Prefix) bool { return slices.ContainsFunc(other.networks(), n.Overlaps) }) {
				return true
			}
		}
	}
	return p.needsOther(addressable)
}

// noKind reports whether a value has to be of two kinds that no text is of.
func (p *passing) noKind() bool {
	kinds := 0
	for _, is := range []bool{len(p.compare) > 0, len(p.times)+len(p.ages) > 0, len(p.networks) > 0} {
		if is {
			kinds++
		}
	}
	return kinds > 1
}

// What numbers, versions, times and addresses consist of.
const (
	numeric     = "0123456789+-.eE"
	versional   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.+ "
	temporal    = "0123456789-:.+ TtZz"
	addressable = "0123456789abcdefABCDEF:."
)
