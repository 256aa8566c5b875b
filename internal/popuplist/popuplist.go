// Package popuplist finds popups by text, status, tag and placement, in an order, page by
// page. It does so in memory, over an [Entry] of each popup that there is, archived or not:
// what lists are filtered by is in the spec, which no index of the store reaches, and letter
// case is the same for all languages and stores only here.
//
// An entry takes some hundred bytes, so ten thousand popups take some megabytes, and a search
// looks at each of them, which takes a few milliseconds.
//
// Pages do not shift: a page begins behind a [Place], which is a value and an id, and not
// after a number of popups. What is created, archived or renamed between two pages makes no
// other popup come twice or not at all; a popup whose own value of the order changes may.
package popuplist

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// Query asks for a page. The zero value of a field asks for any.
type Query struct {
	Statuses  []popup.Status
	Text      string // words: each has to be in the key, the name, a tag or a title of the popup, in any letter case
	Tag       string
	Placement string

	Order Order
	After Place // the place of the last popup of the page before; the zero value begins
	Limit int
}

// Page is what a [Query] finds.
type Page struct {
	IDs    []uint32 // in the order asked for, at most Limit
	Next   Place    // of the last one, if others follow; else the zero value
	Total  int      // popups that fit, on all pages
	Facets Facets
}

// Facets says how many popups there are by each choice that a query may make, with its
// other choices as they are.
type Facets struct {
	Statuses   map[popup.Status]int `json:"statuses"`
	Tags       []Facet              `json:"tags"`
	Placements []Facet              `json:"placements"`
}

// Facet is a tag or a placement, and how many popups have it.
type Facet struct {
	Value  string `json:"value"`
	Popups int    `json:"popups"`
}

// MaxFacets is how many tags and placements [Facets] has, those that most popups have.
const MaxFacets = 200

// List is all popups. It never changes.
type List struct {
	entries []*Entry // by id
}

// New returns the list of entries, which are sorted by id.
func New(entries []*Entry) *List { return &List{entries} }

// Entries returns all entries by id. They belong to the list.
func (l *List) Entries() []*Entry { return l.entries }

// Find returns a page.
func (l *List) Find(q *Query) Page {
	page := Page{Facets: Facets{Statuses: map[popup.Status]int{}}}
	tags, placements := map[string]int{}, map[string]int{}
	words := strings.Fields(fold(q.Text))
	var found []*Entry
	for _, e := range l.entries {
		if !e.hasAll(words) {
			continue
		}
		status := len(q.Statuses) == 0 || slices.Contains(q.Statuses, e.Status)
		tag := q.Tag == "" || slices.Contains(e.tags, q.Tag)
		placement := q.Placement == "" || slices.Contains(e.placements, q.Placement)
		if tag && placement {
			page.Facets.Statuses[e.Status]++
		}
		if status && placement {
			count(tags, e.tags)
		}
		if status && tag {
			count(placements, e.placements)
		}
		if status && tag && placement {
			page.Total++
			if q.After.ID == 0 || q.Order.compare(q.Order.placeOf(e), q.After) > 0 {
				found = append(found, e)
			}
		}
	}
	slices.SortFunc(found, func(a, b *Entry) int { return q.Order.compare(q.Order.placeOf(a), q.Order.placeOf(b)) })
	if len(found) > q.Limit {
		found = found[:q.Limit]
		page.Next = q.Order.placeOf(found[q.Limit-1])
	}
	for _, e := range found {
		page.IDs = append(page.IDs, e.ID)
	}
	page.Facets.Tags, page.Facets.Placements = facets(tags), facets(placements)
	return page
}

func count(in map[string]int, values []string) {
	for _, v := range values {
		in[v]++
	}
}

// facets returns the most frequent values, by name.
func facets(counts map[string]int) []Facet {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	values = values[:min(len(values), MaxFacets)]
	slices.Sort(values)
	list := make([]Facet, len(values))
	for i, v := range values {
		list[i] = Facet{v, counts[v]}
	}
	return list
}

// fold makes texts equal that differ in letter case.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }
