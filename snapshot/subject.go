package snapshot

import "github.com/popupd/popupd/popup"

// subject is a request while it is matched, with what was found out about it.
type subject struct {
	request   *popup.Request
	placement []byte
	version   popup.Version // of the app, if versionIs == yes
	versionIs answer
	memo      [memoSlots]struct {
		condition *condition
		holds     bool
	}
}

// memoSlots is how many conditions' answers are remembered during a match. Most
// popups ask the same few questions: docs/architecture.md has the figure.
const memoSlots = 64

// answer is a question's answer, once it was asked.
type answer uint8

const (
	unknown answer = iota
	yes
	no
)

func (s *subject) init(r *popup.Request) {
	s.request, s.placement = r, r.Placement
	if len(s.placement) == 0 {
		s.placement = defaultPlacement
	}
}

// meets reports whether the condition holds for the request.
func (s *subject) meets(c *condition) bool {
	m := &s.memo[c.slot]
	if m.condition != c {
		m.condition, m.holds = c, c.holds(s)
	}
	return m.holds
}

var defaultPlacement = []byte(popup.DefaultPlacement)

// appVersion parses the request's app_version, at most once. It is nil if that
// is no version.
func (s *subject) appVersion() *popup.Version {
	if s.versionIs == unknown {
		var ok bool
		s.versionIs = no
		if s.version, ok = popup.ParseVersion(s.request.AppVersion); ok {
			s.versionIs = yes
		}
	}
	if s.versionIs == no {
		return nil
	}
	return &s.version
}

// value returns the attribute's value, empty if it is missing.
func (s *subject) value(c *condition) []byte {
	switch c.attr {
	case attrUID:
		return s.request.User
	case attrPlatform:
		return s.request.Platform
	case attrAppVersion:
		if s.appVersion() == nil {
			return nil
		}
		return s.request.AppVersion
	case attrLocale:
		return s.request.Locale
	case attrCountry:
		return s.request.Country
	}
	for i := range s.request.Attrs {
		if a := &s.request.Attrs[i]; string(a.Name) == c.name {
			return a.Value
		}
	}
	return nil
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
