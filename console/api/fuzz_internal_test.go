package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/popupd/popupd/popup"
)

// oneTag is an If-Match of one or more strong or weak tags, as RFC 9110 writes it.
var oneTag = regexp.MustCompile(`^[ \t]*(W/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*$`)

// FuzzIfMatch: a header allows a version only if it names it, or says *.
func FuzzIfMatch(f *testing.F) {
	f.Add(`"1"`, uint32(1))
	f.Add(`W/"1", "2" , *`, uint32(2))
	f.Add(`"1,2","3"`, uint32(3))
	f.Add(`*`, uint32(9))
	f.Fuzz(func(t *testing.T, header string, version uint32) {
		r := &http.Request{Header: http.Header{"If-Match": {header}}}
		m, err := parseIfMatch(r)
		trimmed := strings.TrimSpace(header)
		if err != nil {
			if oneTag.MatchString(header) || trimmed == "*" || trimmed == "" {
				t.Fatalf("%q is refused: %v", header, err)
			}
			return
		}
		if m.given != (trimmed != "") {
			t.Fatalf("%q: given is %v", header, m.given)
		}
		if got := m.check(version) == nil; got && m.given && trimmed != "*" && !strings.Contains(header, etag(version)) {
			t.Fatalf("%q allows version %d", header, version)
		}
		// What allows a version also does so with another tag beside it.
		r.Header.Add("If-Match", etag(version))
		if trimmed == "" || m.anything {
			return
		}
		if both, err := parseIfMatch(r); err != nil || both.check(version) != nil {
			t.Fatalf("%q and %s: %+v, %v", header, etag(version), both, err)
		}
	})
}

// FuzzPage: limit is within its bounds, and a cursor is one that newList made,
// for the same list.
func FuzzPage(f *testing.F) {
	f.Add("limit=10", int64(7))
	f.Add("cursor=YXVkaXQ6Nw", int64(1))
	f.Add("cursor=YXVkaXQ6LTc&limit=0", int64(1<<62))
	f.Fuzz(func(t *testing.T, query string, id int64) {
		r := &http.Request{URL: &url.URL{RawQuery: query}}
		after, limit, err := page(r, "audit")
		if err == nil && (limit < 1 || limit > maxLimit || after < 0) {
			t.Fatalf("%q: limit %d after %d", query, limit, after)
		}
		if given := r.URL.Query().Get("cursor"); err == nil && given != "" {
			if next := newList("audit", []int64{after, after}, 1, func(i int64) int64 { return i }).NextCursor; len(given) < len(*next) {
				t.Fatalf("the cursor %q is taken for %d, which is %q", given, after, *next)
			}
		}
		if id <= 0 {
			return
		}
		next := newList("audit", []int64{id, id}, 1, func(i int64) int64 { return i }).NextCursor
		r.URL.RawQuery = url.Values{"cursor": {*next}}.Encode()
		if after, _, err := page(r, "audit"); err != nil || after != id {
			t.Fatalf("the cursor after %d is read as %d, %v", id, after, err)
		}
		if _, _, err := page(r, "popups"); err == nil {
			t.Fatalf("the cursor after %d is taken for one of another list", id)
		}
	})
}

// FuzzActor: a name for the audit trail is a short line of printable text.
func FuzzActor(f *testing.F) {
	f.Add("maria lee")
	f.Add("a\x1b[31m\u202e\xff\ufffd")
	f.Add(strings.Repeat("é", 60) + " ")
	f.Fuzz(func(t *testing.T, sent string) {
		r := &http.Request{Header: http.Header{"X-Popupd-Actor": {sent}}}
		got := actor(r)
		if got == "" || len(got) > maxActorBytes || !utf8.ValidString(got) || strings.ContainsFunc(got, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Fatalf("%q names %q", sent, got)
		}
		if plain := !strings.ContainsFunc(sent, func(c rune) bool { return c == utf8.RuneError || !unicode.IsPrint(c) }); plain && len(sent) <= maxActorBytes &&
			strings.TrimSpace(sent) != "" && got != strings.TrimSpace(sent) {
			t.Fatalf("%q names %q", sent, got)
		}
		r.Header.Set("X-Popupd-Actor", got)
		if again := actor(r); again != got {
			t.Fatalf("%q names %q, and that %q", sent, got, again)
		}
	})
}

// FuzzSpan: statistics are of a bounded number of whole hours or days that hold the time
// that was asked for.
func FuzzSpan(f *testing.F) {
	const now = int64(1_773_146_096_000)
	f.Add("from=2026-01-01T00:30:00Z&to=2026-01-02T00:00:01Z&interval=day")
	f.Add("from=0001-01-01T00:00:00Z")
	f.Add("from=2026-01-01T00:00:00%2b23:59&to=9999-12-31T23:59:59Z")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		zone, err := popup.LoadZone([]string{"UTC", "Australia/Lord_Howe", "America/Havana"}[len(query)%3])
		if err != nil {
			t.Fatal(err)
		}
		p, err := spanOf(r, now, zone)
		if err != nil {
			return
		}
		most := int64(maxHourlyDays*24 + 1)
		if p.byDay {
			most = maxDailyDays
		}
		from, _ := p.around(p.from)
		_, to := p.around(p.to - 1)
		points := len(p.starts)
		if p.from != from || p.to != to || p.from >= p.to || points < 1 || points > int(most) {
			t.Fatalf("%q: %+v", query, p)
		}
		figures := p.newFigures()
		if !slices.IsSortedFunc(figures.Series, func(a, b point) int { return a.At.Compare(b.At) }) || len(figures.Series) != points {
			t.Fatalf("%q: the series has %d points", query, len(figures.Series))
		}
	})
}
