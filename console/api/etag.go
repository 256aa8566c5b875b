package api

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/popupd/popupd/console"
)

// etag names a version of a popup.
func etag(version uint32) string { return `"` + strconv.FormatUint(uint64(version), 10) + `"` }

// ifMatch is the If-Match header of a request. The zero value, no header, and *
// allow every version.
type ifMatch struct {
	given    bool
	anything bool     // *
	tags     []string // quoted, as etag writes them
}

// any reports whether the client does not care which version it changes.
func (m ifMatch) any() bool { return !m.given || m.anything }

// allows reports whether the header lets a request change this version.
func (m ifMatch) allows(version uint32) bool {
	return m.any() || slices.Contains(m.tags, etag(version))
}

// One entity tag at the start of the rest of a header (RFC 9110, 8.8.3).
var entityTag = regexp.MustCompile(`^(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`)

// parseIfMatch reads the header. A weak tag is well formed, but matches nothing.
func parseIfMatch(r *http.Request) (ifMatch, error) {
	header := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	if header == "" {
		return ifMatch{}, nil
	}
	m := ifMatch{given: true, anything: header == "*"}
	for rest := header; !m.anything && rest != ""; {
		tag := entityTag.FindString(rest)
		if tag == "" {
			return m, console.NewProblem(http.StatusBadRequest, "invalid_if_match", `If-Match must be the popup's ETag with its quotes, as "3".`)
		}
		m.tags = append(m.tags, tag)
		rest = strings.TrimLeft(rest[len(tag):], " \t")
		if rest != "" && rest[0] != ',' {
			return m, console.NewProblem(http.StatusBadRequest, "invalid_if_match", "If-Match has two tags without a comma between them.")
		}
		rest = strings.TrimLeft(rest, ", \t")
	}
	return m, nil
}

// requireIfMatch is parseIfMatch for changes that must say what they change.
func requireIfMatch(r *http.Request) (ifMatch, error) {
	m, err := parseIfMatch(r)
	if err == nil && !m.given {
		return m, console.NewProblem(http.StatusPreconditionRequired, "precondition_required", "Send the popup's ETag in If-Match, so that nobody's change is overwritten unseen.")
	}
	return m, err
}
