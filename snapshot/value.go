package snapshot

import (
	"maps"
	"slices"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// value is what a request says of one attribute, with what was found out about it.
type value struct {
	text      []byte // empty: the attribute is missing
	number    float64
	numberIs  tristate
	version   popup.Version
	versionIs tristate
}

// tristate is the result of a test that is made at most once.
type tristate uint8

const (
	unknown tristate = iota
	yes
	no
)

func (a *tristate) set(ok bool) {
	if *a = no; ok {
		*a = yes
	}
}

// find looks the attribute up; name is that of a custom one.
func (v *value) find(r *popup.Request, attr attribute, name string) {
	switch attr {
	case attrUID:
		v.text = r.User
	case attrPlatform:
		v.text = r.Platform
	case attrAppVersion:
		v.text = r.AppVersion
	case attrLocale:
		v.text = r.Locale
	case attrCountry:
		v.text = r.Country
	case attrPath:
		v.text = r.Path
	default:
		for i := range r.Attrs {
			if a := &r.Attrs[i]; string(a.Name) == name {
				v.text = a.Value
				return
			}
		}
	}
}

// asNumber parses the value, at most once.
func (v *value) asNumber() (n float64, ok bool) {
	if v.numberIs == unknown {
		v.number, ok = parseNumber(v.text)
		v.numberIs.set(ok)
	}
	return v.number, v.numberIs == yes
}

// asVersion parses the value, at most once. It is nil if that is no version.
func (v *value) asVersion() *popup.Version {
	if v.versionIs == unknown {
		var ok bool
		v.version, ok = popup.ParseVersion(v.text)
		v.versionIs.set(ok)
	}
	if v.versionIs == no {
		return nil
	}
	return &v.version
}

// attribute is where an attribute of a request is found.
type attribute uint8

const (
	attrCustom attribute = iota
	attrUID
	attrPlatform
	attrAppVersion
	attrLocale
	attrCountry
	attrPath
)

// Builtins returns the names of the attributes that a poll has parameters of their own
// for, sorted.
func Builtins() []string { return slices.Sorted(maps.Keys(builtins)) }

var builtins = map[string]attribute{
	"uid":         attrUID,
	"platform":    attrPlatform,
	"app_version": attrAppVersion,
	"locale":      attrLocale,
	"country":     attrCountry,
	"path":        attrPath,
}

// maxNumber is the longest attribute that is read as a number, in bytes. With
// exponents of two digits no number is out of range, and converting so few bytes
// to a string does not allocate.
const maxNumber = 32

// parseNumber reads a decimal number as in JSON, leading zeros and a + allowed.
func parseNumber(b []byte) (float64, bool) {
	if len(b) > maxNumber || !isNumber(b) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}

// isNumber checks the syntax, since strconv allocates its errors.
func isNumber(b []byte) bool {
	b = withoutSign(b)
	n := digits(b)
	if n == 0 {
		return false
	}
	b = b[n:]
	if len(b) > 0 && b[0] == '.' {
		if n = digits(b[1:]); n == 0 {
			return false
		}
		b = b[1+n:]
	}
	return len(b) == 0 || isExponent(b)
}

// isExponent accepts e or E, an optional sign, and one or two digits.
func isExponent(b []byte) bool {
	if b[0] != 'e' && b[0] != 'E' {
		return false
	}
	b = withoutSign(b[1:])
	n := digits(b)
	return n == len(b) && (n == 1 || n == 2)
}

func withoutSign(b []byte) []byte {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		return b[1:]
	}
	return b
}

// digits counts the digits that b starts with.
func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}
