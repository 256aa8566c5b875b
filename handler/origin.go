package handler

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// origins are the pages that get answers.
type origins struct {
	any       bool
	list      []string // as browsers send them
	wildcards []wildcard
}

// wildcard is the origins of all subdomains of a host.
type wildcard struct {
	scheme string // https://
	domain string // .example.com, or .example.com:8443
}

// ParseOrigins reads a list of origins, separated by commas, and returns them as
// browsers send them: https://example.com, https://example.com:8443,
// https://*.example.com for any subdomain, or * alone for any.
func ParseOrigins(list string) ([]string, error) {
	var out []string
	for text := range strings.SplitSeq(list, ",") {
		origin, err := parseOrigin(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, origin) {
			out = append(out, origin)
		}
	}
	if len(out) > 1 && slices.Contains(out, "*") {
		return nil, errors.New(`origin "*" is any origin: want it alone`)
	}
	return out, nil
}

// newOrigins compiles a list of origins that [ParseOrigins] takes.
func newOrigins(list []string) (origins, error) {
	parsed, err := ParseOrigins(strings.Join(list, ","))
	if err != nil {
		return origins{}, err
	}
	var o origins
	for _, origin := range parsed {
		if origin == "*" {
			o.any = true
		} else if scheme, domain, ok := strings.Cut(origin, "*"); ok {
			o.wildcards = append(o.wildcards, wildcard{scheme, domain})
		} else {
			o.list = append(o.list, origin)
		}
	}
	return o, nil
}

func (o *origins) allow(origin []byte) bool {
	for _, s := range o.list {
		if string(origin) == s {
			return true
		}
	}
	for i := range o.wildcards {
		if o.wildcards[i].match(origin) {
			return true
		}
	}
	return false
}

func (w *wildcard) match(origin []byte) bool {
	n := len(origin) - len(w.domain)
	return n > len(w.scheme) && string(origin[:len(w.scheme)]) == w.scheme && string(origin[n:]) == w.domain &&
		origin[n-1] != '.' && isHost(origin[len(w.scheme):n])
}

// isHost reports whether b has only what is in the names of hosts as browsers send
// them, so that no other part of an origin passes for one.
func isHost[T string | []byte](b T) bool {
	for i := range len(b) {
		switch c := b[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && b[i-1] != '.':
		default:
			return false
		}
	}
	return len(b) > 0
}

// The schemes of pages: those of the web with their default ports, and those that
// extensions of browsers and frameworks for apps serve pages with. Pages with others,
// such as file:, have no origin.
var (
	defaultPorts = map[string]string{"http": "80", "https": "443"}
	appSchemes   = []string{"app", "capacitor", "chrome-extension", "ionic", "moz-extension", "safari-web-extension", "tauri", "vscode-webview", "wails"}
)

// parseOrigin returns an origin as browsers send it. The error says how what no browser
// sends may have been meant.
func parseOrigin(s string) (string, error) {
	origin, why, fixed := readOrigin(s)
	if why == "" {
		return origin, nil
	}
	want := "https://example.com, https://example.com:8443, https://*.example.com or *"
	for fixed != "" {
		right, stillWhy, further := readOrigin(fixed)
		if stillWhy == "" {
			want = right
		}
		fixed = further
	}
	return "", fmt.Errorf("origin %q %s: want %s", s, why, want)
}

// readOrigin returns an origin as browsers send it, where its parts have one meaning, or
// what is wrong with it and, if that can be told, a text without this mistake.
func readOrigin(s string) (origin, why, fixed string) {
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	switch {
	case s == "*":
		return s, "", ""
	case s == "":
		return "", "is empty", ""
	case s == "null":
		return "", "is what all pages without an origin of their own send", ""
	case !ok:
		meant := strings.TrimPrefix(s, "https:")
		return "", "has no scheme and ://", "https://" + strings.TrimLeft(meant, "/")
	case defaultPorts[scheme] == "" && !slices.Contains(appSchemes, scheme):
		return "", "has a scheme whose pages send no origin", ""
	}
	if i := strings.IndexAny(rest, `/\?#`); i >= 0 {
		return "", "has something after the host", scheme + "://" + rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		return "", "has a user", scheme + "://" + rest[i+1:]
	}
	name, port, hasPort := cutPort(rest)
	number, err := strconv.ParseUint(port, 10, 16)
	switch withoutPort := scheme + "://" + name; {
	case !hasPort:
	case port == "":
		return "", "ends with a colon", withoutPort
	case err != nil || number == 0:
		return "", "has a port that is not 1 to 65535", withoutPort
	case port[0] == '0':
		return "", "has a port with zeros before it", fmt.Sprintf("%s:%d", withoutPort, number)
	}
	host, why := parseHost(scheme, name)
	if why != "" {
		return "", why, ""
	}
	if hasPort && port != defaultPorts[scheme] {
		host += ":" + port
	}
	return scheme + "://" + host, "", ""
}

// cutPort cuts a port off a host; the colons in brackets are those of an address.
func cutPort(hostport string) (host, port string, ok bool) {
	i := strings.LastIndexByte(hostport, ':')
	if i < strings.IndexByte(hostport, ']') || i < 0 {
		return hostport, "", false
	}
	return hostport[:i], hostport[i+1:], true
}

// parseHost returns a host as browsers write it in an origin, or what is wrong with it.
func parseHost(scheme, name string) (host, why string) {
	domain, isWildcard := strings.CutPrefix(name, "*.")
	switch {
	case name == "":
		return "", "has no host"
	case strings.Contains(domain, "*"):
		return "", "has a * that is not the first label of the host"
	case defaultPorts[scheme] == "":
		if host = strings.ToLower(name); !isHost(host) && host != "." { // some frameworks serve app://.
			return "", "has a host that no page of its scheme has"
		}
		return host, ""
	case strings.HasPrefix(name, "["):
		return parseIPv6(name)
	}
	host, err := browserHost.ToASCII(domain)
	if err != nil || !utf8.ValidString(domain) || !isHost(host) || len(host) > maxHost {
		return "", "has a host that is none"
	}
	if endsInNumber(host) {
		address, err := netip.ParseAddr(host)
		switch {
		case err != nil:
			return "", "has an address that is not four numbers as in 192.0.2.1"
		case isWildcard:
			return "", "has a * before an address, which has no subdomains"
		}
		return address.String(), ""
	}
	if isWildcard {
		host = "*." + host
	}
	return host, ""
}

const maxHost = 254 // bytes: a name of DNS with the dot at its end

// browserHost turns hosts into what browsers send (https://url.spec.whatwg.org/#idna).
var browserHost = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.BidiRule())

// endsInNumber reports whether browsers take a host for an address of IPv4.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// parseIPv6 is parseHost for an address in brackets.
func parseIPv6(name string) (host, why string) {
	address, err := netip.ParseAddr(strings.TrimSuffix(name[1:], "]"))
	if err != nil || !address.Is6() || address.Zone() != "" || !strings.HasSuffix(name, "]") {
		return "", "has a host that is no address as in [2001:db8::1]"
	}
	text := address.String()
	if address.Is4In6() { // browsers write the IPv4 part in hexadecimal, too
		b := address.As16()
		text = fmt.Sprintf("::ffff:%x:%x", uint16(b[12])<<8|uint16(b[13]), uint16(b[14])<<8|uint16(b[15]))
	}
	return "[" + text + "]", ""
}
