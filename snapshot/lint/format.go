package lint

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/popupd/popupd/popup"
)

// checkFormats warns of names and values that most likely were meant otherwise.
func (w *warnings) checkFormats(t *popup.Targeting) {
	for _, group := range []struct {
		at         string
		conditions []popup.Condition
	}{{"/targeting/all", t.All}, {"/targeting/any", t.Any}, {"/targeting/none", t.None}} {
		for i := range group.conditions {
			c, at := &group.conditions[i], index(group.at, i)
			w.checkName(c.Attr, at+"/attr")
			w.checkValues(c, at+"/value")
		}
	}
}

// checkName warns of a name that reads a parameter of its own where another was meant.
func (w *warnings) checkName(attr, at string) {
	if isBuiltin(attr) {
		return
	}
	trimmed := strings.TrimSpace(attr)
	name, hasPrefix := strings.CutPrefix(attr, "a.")
	switch meant := builtinLike(attr); {
	case attr != trimmed:
		w.suspect(at, popup.AttributeName, fmt.Sprintf("the name has spaces around it: %q was meant", trimmed))
	case hasPrefix && name != "":
		w.suspect(at, popup.AttributeName, fmt.Sprintf("this is the parameter a.%s: for a.%s write %q", attr, name, name))
	case meant != "":
		w.suspect(at, popup.AttributeName, fmt.Sprintf("this is the parameter a.%s: %q was meant", attr, meant))
	case attr == "placement", attr == "placements", attr == "sig", attr == "rid", attr == "prior_uid":
		w.suspect(at, popup.AttributeName, fmt.Sprintf("this is the parameter a.%s, and not %s of the poll", attr, attr))
	}
}

// builtinLike returns the built-in attribute that a name differs from in letter case
// and punctuation only.
func builtinLike(attr string) string {
	plain := strings.NewReplacer("_", "", "-", "", ".", "", " ", "")
	for _, builtin := range builtins {
		if strings.EqualFold(plain.Replace(attr), plain.Replace(builtin)) {
			return builtin
		}
	}
	return ""
}

// checkValues warns of the first value of a condition that has an unusual form.
func (w *warnings) checkValues(c *popup.Condition, at string) {
	switch c.Op {
	case popup.Eq, popup.Neq:
		w.checkValue(c, c.Value, at)
	case popup.In, popup.NotIn:
		values, _ := c.Value.([]any)
		for i, v := range values {
			if w.checkValue(c, v, index(at, i)) {
				return
			}
		}
	case popup.Prefix:
		if text, _ := c.Value.(string); c.Attr == "path" && text[0] != '/' {
			w.suspect(at, popup.PathFormat, badPath)
		}
	case popup.Gt, popup.Gte, popup.Lt, popup.Lte:
		if c.Attr == "app_version" {
			w.suspect(at, popup.VersionAsNumber, "numbers are no versions: 3.10 comes before 3.9, and 3.2.1 is none; use semver_gte and the like")
		}
	}
}

// checkValue warns of a value that is compared for equality. It reports whether it did.
func (w *warnings) checkValue(c *popup.Condition, value any, at string) bool {
	if _, isNumber := popup.Number(value); isNumber && c.Attr == "app_version" {
		w.suspect(at, popup.VersionAsNumber, "numbers are no versions: 3.1 equals 3.10; write it as a string")
		return true
	}
	text, isText := value.(string)
	if !isText {
		return false
	}
	if c.IgnoreCase {
		text = inUsualCase(c.Attr, text)
	}
	code, detail := suspectFormat(c.Attr, text)
	if code == "" {
		return false
	}
	w.suspect(at, code, detail)
	return true
}

// inUsualCase returns a text in the letter case in which values of an attribute usually come.
func inUsualCase(attr, text string) string {
	switch attr {
	case "country":
		return strings.ToUpper(text)
	case "locale":
		parts := strings.Split(strings.ToLower(text), "-")
		for i, part := range parts {
			if i > 0 && len(part) == 2 {
				parts[i] = strings.ToUpper(part)
			} else if i > 0 && len(part) == 4 {
				parts[i] = strings.ToUpper(part[:1]) + part[1:]
			}
		}
		return strings.Join(parts, "-")
	}
	return strings.ToLower(text)
}

var (
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	localeForm  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[a-z](-[a-z0-9]{2,8})+)*$`)
)

// suspectFormat says what is unusual in a text that an attribute is compared with; an
// empty code is nothing.
func suspectFormat(attr, text string) (code popup.WarningCode, detail string) {
	lower := strings.ToLower(text)
	switch {
	case text != strings.TrimSpace(text):
		return popup.ValueSpaces, "the value has spaces around it, which are compared, too"
	case attr == "country" && !countryForm.MatchString(text):
		return popup.CountryFormat, `countries usually come as two capital letters, such as "CN" (ISO 3166), and letter case counts`
	case attr == "locale" && !localeForm.MatchString(text):
		return popup.LocaleFormat, `locales usually come as "zh-CN" or "zh" (BCP 47), and letter case counts`
	case attr == "platform" && text != lower && (lower == "ios" || lower == "android" || lower == "web"):
		return popup.PlatformFormat, fmt.Sprintf("platforms usually come as %q, and letter case counts", lower)
	case attr == "app_version" && !isVersion(text):
		return popup.VersionFormat, "this is no version, and an app_version that is no version counts as missing, so none equals it"
	case attr == "path" && text[0] != '/':
		return popup.PathFormat, badPath
	case attr == "ip" && !isAddress(text):
		return popup.AddressFormat, `addresses come as "10.0.0.1" or "2001:db8::1", in lower case and without zeros that may be left out; networks go with in_cidr`
	case !isBuiltin(attr) && text != lower && (lower == "true" || lower == "false"):
		return popup.BooleanFormat, fmt.Sprintf("truth values usually come as %q, and letter case counts", lower)
	}
	return "", ""
}

const badPath = `paths usually come as "/cart", with a slash before them and without the host`

// isAddress reports whether a text is an address as the attribute ip has it.
func isAddress(text string) bool {
	a, ok := popup.ParseAddr([]byte(text))
	return ok && a.String() == text
}

func isVersion(text string) bool {
	_, ok := popup.ParseVersion([]byte(text))
	return ok
}

// checkContent warns of addresses that browsers take for the name of a file beside the page.
func (w *warnings) checkContent(content map[string]any, at string) {
	for _, name := range []string{"link", "image"} {
		if address, ok := content[name].(string); ok && strings.HasPrefix(strings.ToLower(strings.TrimSpace(address)), "www.") {
			w.suspect(at+"/"+name, popup.LinkFormat, fmt.Sprintf("without a scheme this is a file beside the page: %q was meant", "https://"+strings.TrimSpace(address)))
		}
	}
}
