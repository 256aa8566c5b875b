package api

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// etag names a version of a popup or of the settings.
func etag(version uint32) string { return `"` + strconv.FormatUint(uint64(version), 10) + `"` }

// ifMatch is the If-Match header of a request. The zero value, no header, and *
// allow every version.
type ifMatch struct {
	given    bool
	anything bool     // *
	tags     []string // as they were sent, with quotes
}

// any reports whether the client does not care which version it changes.
func (m ifMatch) any() bool { return !m.given || m.anything }

// check returns why the header does not let a request change this version, or
// nil if it does. Tags are compared strongly (RFC 9110, 8.8.3.2), so a weak one,
// as a proxy that compresses answers makes, matches nothing.
func (m ifMatch) check(version uint32) error { return m.checkTag(etag(version), popup.ErrStale) }

// checkTag is check for what has this ETag; stale is why not.
func (m ifMatch) checkTag(current string, stale error) error {
	switch {
	case m.any() || slices.Contains(m.tags, current):
		return nil
	case slices.ContainsFunc(m.tags, func(tag string) bool { return strings.HasPrefix(tag, "W/") }):
		return console.NewProblem(http.StatusPreconditionFailed, "weak_etag",
			`If-Match has a weak tag, which never matches: send the ETag without "W/" before it.`)
	}
	return stale
}

// entityTag is one entity tag at the start of the rest of a header (RFC 9110, 8.8.3).
var entityTag = regexp.MustCompile(`^(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`)

// parseIfMatch reads the header: * or a list of tags, of which elements may be
// empty (RFC 9110, 5.6.1.2), but not all.
func parseIfMatch(r *http.Request) (ifMatch, error) {
	header := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	if header == "" {
		return ifMatch{}, nil
	}
	if header == "*" {
		return ifMatch{given: true, anything: true}, nil
	}
	m := ifMatch{given: true}
	for rest := strings.TrimLeft(header, ", \t"); rest != "" || m.tags == nil; rest = strings.TrimLeft(rest, ", \t") {
		tag := entityTag.FindString(rest)
		if tag == "" {
			return m, invalidIfMatch(`must be the ETag with its quotes, as "3".`)
		}
		m.tags = append(m.tags, tag)
		rest = strings.TrimLeft(rest[len(tag):], " \t")
		if rest != "" && rest[0] != ',' {
			return m, invalidIfMatch("has two tags without a comma between them.")
		}
	}
	return m, nil
}

func invalidIfMatch(detail string) *console.Problem {
	return console.NewProblem(http.StatusBadRequest, "invalid_if_match", "If-Match "+detail)
}

// requireIfMatch is parseIfMatch for changes that must say what they change.
func requireIfMatch(r *http.Request) (ifMatch, error) {
	m, err := parseIfMatch(r)
	if err == nil && !m.given {
		return m, console.NewProblem(http.StatusPreconditionRequired, "precondition_required", "Send the ETag of what you read in If-Match, so that nobody's change is overwritten unseen.")
	}
	return m, err
}
