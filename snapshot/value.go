package snapshot

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/popupd/popupd/popup"
)

// value is one of the values that a request gives an attribute, with what was found out
// about it. It is used again and again.
type value struct {
	nowMS int64
	users *membership // in which audiences the user is; nil: in none

	text    []byte // not empty
	number  float64
	version popup.Version
	timeMS  int64
	addr    netip.Addr
	known
	buf []byte
}

// known is what is known of a value.
type known struct {
	numberIs  tristate
	versionIs tristate
	timeIs    tristate
	addrIs    tristate
	isFolded  bool // buf is text, folded
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

// set makes it another value of an attribute, of which nothing is known yet. It reports false
// if that counts as missing: an empty value, and an app_version that is no version.
func (v *value) set(attr attribute, text []byte) bool {
	v.text, v.known = text, known{}
	return len(text) > 0 && (attr != attrAppVersion || v.isVersion())
}

// release forgets the request, and keeps buf.
func (v *value) release() {
	if v.text != nil {
		v.version, v.addr = popup.Version{}, netip.Addr{}
		v.set(attrCustom, nil)
	}
}

// members goes through the values that a request gives an attribute: none, one, or those
// of a set in the order of the request. Empty ones are left out.
type members struct {
	single []byte
	attrs  []popup.Attr // those that are left, of any name
	name   string
}

// membersOf returns the values of an attribute; name is that of a custom one.
func membersOf(r *popup.Request, attr attribute, name string) members {
	if attr == attrCustom {
		return members{attrs: r.Attrs, name: name}
	}
	return members{single: builtin(r, attr)}
}

// builtin returns the value of an attribute, if it is no custom one.
func builtin(r *popup.Request, attr attribute) []byte {
	switch attr {
	case attrUID:
		return r.User
	case attrPlatform:
		return r.Platform
	case attrAppVersion:
		return r.AppVersion
	case attrLocale:
		return r.Locale
	case attrCountry:
		return r.Country
	case attrPath:
		return r.Path
	case attrIP:
		return r.IP
	}
	return nil
}

// next returns the next value, nil after the last one.
func (m *members) next() []byte {
	if len(m.single) > 0 {
		text := m.single
		m.single = nil
		return text
	}
	for i := range m.attrs {
		if a := &m.attrs[i]; string(a.Name) == m.name && len(a.Value) > 0 {
			m.attrs = m.attrs[i+1:]
			return a.Value
		}
	}
	m.attrs = nil
	return nil
}

// compared returns the value as texts are compared: folded or as it is. It is folded at
// most once, and allocates only where it does not fit buf.
func (v *value) compared(fold bool) []byte {
	if !fold {
		return v.text
	}
	if !v.isFolded {
		v.buf, v.isFolded = appendFolded(v.buf[:0], v.text), true
	}
	return v.buf
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
	if v.isVersion() {
		return &v.version
	}
	return nil
}

func (v *value) isVersion() bool {
	if v.versionIs == unknown {
		var ok bool
		v.version, ok = popup.ParseVersion(v.text)
		v.versionIs.set(ok)
	}
	return v.versionIs == yes
}

// asTime parses the value, at most once.
func (v *value) asTime() (ms int64, ok bool) {
	if v.timeIs == unknown {
		v.timeMS, ok = popup.ParseTime(v.text)
		v.timeIs.set(ok)
	}
	return v.timeMS, v.timeIs == yes
}

// asAddr parses the value, at most once.
func (v *value) asAddr() (a netip.Addr, ok bool) {
	if v.addrIs == unknown {
		v.addr, ok = popup.ParseAddr(v.text)
		v.addrIs.set(ok)
	}
	return v.addr, v.addrIs == yes
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
	attrIP
	attrAudience
)

// Builtins returns the names of the attributes that are no a.NAME parameters of a poll,
// sorted.
func Builtins() []string { return slices.Sorted(maps.Keys(builtins)) }

var builtins = map[string]attribute{
	"uid":         attrUID,
	"platform":    attrPlatform,
	"app_version": attrAppVersion,
	"locale":      attrLocale,
	"country":     attrCountry,
	"path":        attrPath,
	"ip":          attrIP,

	popup.AudienceAttr: attrAudience,
}
