package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/popuplist"
	"github.com/popupd/popupd/popup"
)

const (
	maxSearch     = 200 // bytes
	maxStatsLimit = 100 // popups of a page with statistics
	recentDays    = 7   // which these are of
)

// listedPopup is a popup in a list, with its statistics if they are asked for.
type listedPopup struct {
	popup.Popup
	Stats *recentStats `json:"stats,omitempty"`
}

// recentStats is what was counted of the last days.
type recentStats struct {
	counts
	Points []recentPoint `json:"points"`
}

// recentPoint is what was counted of 24 hours.
type recentPoint struct {
	Impressions uint64 `json:"impressions"`
	Clicks      uint64 `json:"clicks"`
}

type popupList struct {
	list[listedPopup]
	Total     int               `json:"total"`
	StatsSpan *statsSpan        `json:"stats_span,omitempty"`
	Facets    *popuplist.Facets `json:"facets,omitempty"`
}

// statsSpan says of which hours the statistics of a list are.
type statsSpan struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	PointSec int64     `json:"point_sec"`
}

// listQuery is what a request asks of the list.
type listQuery struct {
	popuplist.Query
	stats, facets bool
}

func parseListQuery(r *http.Request) (q listQuery, err error) {
	values, err := queryOf(r)
	if err != nil {
		return q, err
	}
	if q.Statuses, err = listedStatuses(strings.Join(values["status"], ",")); err != nil {
		return q, err
	}
	if q.Text = values.Get("q"); len(q.Text) > maxSearch || !utf8.ValidString(q.Text) {
		return q, invalidParameter("q", "must be at most 200 bytes of UTF-8.")
	}
	q.Tag, q.Placement = values.Get("tag"), values.Get("placement")
	var ok bool
	if q.Order, ok = popuplist.ParseOrder(values.Get("sort")); !ok {
		return q, invalidParameter("sort", "must be id, key, name, priority, start_at, end_at or updated_at, with - before it for the greatest first.")
	}
	if q.stats, err = flagOf(values, "stats"); err != nil {
		return q, err
	}
	if q.facets, err = flagOf(values, "facets"); err != nil {
		return q, err
	}
	if q.Limit, err = limitOf(values); err != nil {
		return q, err
	}
	if q.stats && q.Limit > maxStatsLimit {
		return q, invalidParameter("limit", "must be at most 100 with stats.")
	}
	return q, q.readCursor(values.Get("cursor"))
}

// listedStatuses reads statuses with commas between them.
func listedStatuses(text string) (statuses []popup.Status, err error) {
	if text == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		switch s := popup.Status(name); s {
		case popup.Draft, popup.Active, popup.Paused, popup.Archived:
			statuses = append(statuses, s)
		default:
			return nil, invalidParameter("status", "must be draft, active, paused or archived, or several of them with commas between.")
		}
	}
	return statuses, nil
}

// flagOf reads a parameter that asks for something more.
func flagOf(values url.Values, name string) (bool, error) {
	switch values.Get(name) {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, invalidParameter(name, "must be 1 or 0.")
}

// placeKind begins every cursor of a list of popups.
const placeKind = "popup:"

// readCursor reads the place after which the page begins. It holds for its own order only.
func (q *listQuery) readCursor(cursor string) error {
	if cursor == "" {
		return nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(cursor)
	text, ok := strings.CutPrefix(string(plain), placeKind)
	place, order, decoded := popuplist.DecodePlace(text)
	switch {
	case err != nil || !ok || !decoded:
		return invalidParameter("cursor", "is not a next_cursor of this list.")
	case order != q.Order:
		return invalidParameter("cursor", "is of a list in another order: "+order.String()+".")
	}
	q.After = place
	return nil
}

// cursorOf returns the cursor behind a place, nil for none.
func (q *listQuery) cursorOf(next popuplist.Place) *string {
	if next.ID == 0 {
		return nil
	}
	cursor := base64.RawURLEncoding.EncodeToString([]byte(placeKind + next.Encode(q.Order)))
	return &cursor
}

func (a *API) listPopups(w http.ResponseWriter, r *http.Request) error {
	q, err := parseListQuery(r)
	if err != nil {
		return err
	}
	ctx, cancel := reading(r)
	defer cancel()
	page, popups, err := a.config.Catalog.FindPopups(ctx, q.Query)
	if err != nil {
		return err
	}
	out := popupList{list: list[listedPopup]{Items: make([]listedPopup, len(popups)), NextCursor: q.cursorOf(page.Next)}, Total: page.Total}
	for i, p := range popups {
		out.Items[i].Popup = p
	}
	if q.facets {
		out.Facets = &page.Facets
	}
	if q.stats {
		if err := a.addRecentStats(ctx, &out); err != nil {
			return err
		}
	}
	console.WriteJSON(w, http.StatusOK, out)
	return nil
}

// addRecentStats adds to each popup what was counted of it in the last seven times 24 hours,
// this hour included.
func (a *API) addRecentStats(ctx context.Context, l *popupList) error {
	zone := a.config.ReportZone
	_, to := popup.HourOf(a.config.Now(), zone)
	from := to - recentDays*dayMS
	l.StatsSpan = &statsSpan{From: time.UnixMilli(from).In(zone), To: time.UnixMilli(to).In(zone), PointSec: dayMS / 1000}
	ids := make([]uint32, len(l.Items))
	for i := range l.Items {
		ids[i] = l.Items[i].ID
	}
	sums, err := a.config.Statistics.RecentStats(ctx, ids, from, to, dayMS)
	if err != nil {
		return err
	}
	for i := range l.Items {
		s := &recentStats{Points: make([]recentPoint, recentDays)}
		for _, c := range sums[l.Items[i].ID] {
			s.add(c)
			point := &s.Points[(c.HourMS-from)/dayMS]
			point.Impressions += c.Impressions
			point.Clicks += c.Clicks
		}
		l.Items[i].Stats = s
	}
	return nil
}
