package snapshot

import "github.com/popupd/popupd/popup"

// value is what a request says of one attribute, with what was found out about it.
type value struct {
	text      []byte // empty: the attribute is missing
	number    float64
	numberIs  answer
	version   popup.Version
	versionIs answer
}

// answer is a question's answer, once it was asked.
type answer uint8

const (
	unknown answer = iota
	yes
	no
)

func (a *answer) set(ok bool) {
	if *a = no; ok {
		*a = yes
	}
}

// find looks the attribute up; name is that of a custom one. An app_version that
// is none is missing.
func (v *value) find(r *popup.Request, attr attribute, name string) {
	switch attr {
	case attrUID:
		v.text = r.User
	case attrPlatform:
		v.text = r.Platform
	case attrAppVersion:
		v.text = r.AppVersion
		if v.asVersion() == nil {
			v.text = nil
		}
	case attrLocale:
		v.text = r.Locale
	case attrCountry:
		v.text = r.Country
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
)

var builtins = map[string]attribute{
	"uid":         attrUID,
	"platform":    attrPlatform,
	"app_version": attrAppVersion,
	"locale":      attrLocale,
	"country":     attrCountry,
}
