package popup

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// What a link may not name because a browser or a system runs it, or reads what is
// on the device or in the page with it, and what no page links to.
var refusedSchemes = []string{
	"about", "blob", "content", "data", "file", "filesystem", "ftp", "jar", "javascript", "livescript",
	"mhtml", "mocha", "resource", "vbscript", "view-source", "ws", "wss",
}

// validateLinks checks the addresses in a variant's content and translations that pages
// follow or load without asking: link, image and image.src, where they are strings.
func (v *Variant) validateLinks(errs *FieldErrors, at string) {
	checkLinks(errs, at+"/content", v.Content)
	for _, tag := range slices.Sorted(maps.Keys(v.Translations)) {
		checkLinks(errs, at+"/translations/"+escapePointer(tag), v.Translations[tag])
	}
}

func checkLinks(errs *FieldErrors, at string, content map[string]any) {
	image := content["image"]
	if object, ok := image.(map[string]any); ok {
		checkLink(errs, at+"/image/src", object["src"])
	}
	checkLink(errs, at+"/image", image)
	checkLink(errs, at+"/link", content["link"])
}

func checkLink(errs *FieldErrors, at string, value any) {
	if address, ok := value.(string); ok && !isLink(address) {
		errs.add(at, "must be relative or begin with https:, http:, mailto:, tel: or the app's own scheme as in myapp://")
	}
}

// isLink reports whether an address is relative, or has a scheme that is allowed: one
// of the four that every page knows, or an app's own. Which schemes apps have is not
// known here, so any is taken that is written as scheme://, which those that carry
// their code in them are not, and that is not in the list of those that are refused.
func isLink(address string) bool {
	scheme, rest, ok := cutScheme(address)
	switch {
	case !ok:
		return true
	case scheme == "https", scheme == "http", scheme == "mailto", scheme == "tel":
		return true
	}
	return strings.HasPrefix(rest, "//") && !slices.Contains(refusedSchemes, scheme)
}

// cutScheme returns the scheme of an address in lower case and what follows its colon,
// as a browser would find them (https://url.spec.whatwg.org/#concept-basic-url-parser):
// without space before it, and without the line breaks and tabs in it. Other invisible
// characters are left out as well, since what is between us and the browser may.
func cutScheme(address string) (scheme, rest string, ok bool) {
	visible := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, address)
	scheme, rest, ok = strings.Cut(strings.TrimLeftFunc(visible, unicode.IsSpace), ":")
	if !ok || !isScheme(scheme) {
		return "", "", false
	}
	return strings.ToLower(scheme), rest, true
}

// isScheme reports whether s is a letter and then letters, digits, +, - and dots.
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && (isDigit(c) || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}
