package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

const (
	hourMS = int64(time.Hour / time.Millisecond)
	dayMS  = 24 * hourMS

	defaultStatsDays = 7
	// The widest ranges, which keep the series of an answer under about a thousand points.
	maxHourlyDays = 31
	maxDailyDays  = 1098
)

// counts is a sum over some hours. A user is counted in the hour of the first time,
// so sums count every user once.
type counts struct {
	Impressions  uint64  `json:"impressions"`
	Controls     uint64  `json:"controls"`
	Clicks       uint64  `json:"clicks"`
	Dismisses    uint64  `json:"dismisses"`
	Converts     uint64  `json:"converts"`
	Views        uint64  `json:"views"`
	Releases     uint64  `json:"releases"`
	Users        uint64  `json:"users"`
	ClickUsers   uint64  `json:"click_users"`
	ConvertUsers uint64  `json:"convert_users"`
	ControlUsers uint64  `json:"control_users"`
	CTR          float64 `json:"ctr"` // clicks per impression; 0 without impressions
}

func (c *counts) add(o popup.Counts) {
	c.Impressions += o.Impressions
	c.Controls += o.Controls
	c.Clicks += o.Clicks
	c.Dismisses += o.Dismisses
	c.Converts += o.Converts
	c.Views += o.Views
	c.Releases += o.Releases
	c.Users += o.Users
	c.ClickUsers += o.ClickUsers
	c.ConvertUsers += o.ConvertUsers
	c.ControlUsers += o.ControlUsers
	if c.Impressions > 0 {
		c.CTR = float64(c.Clicks) / float64(c.Impressions)
	}
}

// point is one interval of a series; At is when it starts.
type point struct {
	At time.Time `json:"at"`
	counts
}

// figures are a total and its course, one point for each interval, also for
// those in which nothing happened.
type figures struct {
	Totals counts  `json:"totals"`
	Series []point `json:"series"`
}

type variantFigures struct {
	Key string `json:"key"`
	figures
}

type statistics struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Interval string    `json:"interval"`
	figures
	Variants []variantFigures `json:"variants"`
}

// span is the time that statistics are asked for: [from, to) in ms, in steps of an
// hour or a day of UTC. Both begin a step, so that each point of a series is whole.
type span struct{ from, to, step int64 }

func floor(ms, step int64) int64 { return ms - ms%step }

func ceil(ms, step int64) int64 { return floor(ms+step-1, step) }

func (p span) points() int64 { return (p.to - p.from) / p.step }

func (p span) newFigures() figures {
	f := figures{Series: make([]point, p.points())}
	for i := range f.Series {
		f.Series[i].At = time.UnixMilli(p.from + int64(i)*p.step).UTC()
	}
	return f
}

func (f *figures) add(p span, c popup.Counts) {
	f.Totals.add(c)
	f.Series[(c.HourMS-p.from)/p.step].add(c)
}

// summarize sums the hours of a popup. Variants come in the order of the popup,
// then those that it had once, by key.
func (p span) summarize(variants []popup.Variant, hours []popup.Counts) statistics {
	interval := "hour"
	if p.step == dayMS {
		interval = "day"
	}
	out := statistics{
		From: time.UnixMilli(p.from).UTC(), To: time.UnixMilli(p.to).UTC(), Interval: interval,
		figures: p.newFigures(), Variants: []variantFigures{},
	}
	at := map[string]int{}
	variant := func(key string) *variantFigures {
		i, ok := at[key]
		if !ok {
			i = len(out.Variants)
			at[key] = i
			out.Variants = append(out.Variants, variantFigures{Key: key, figures: p.newFigures()})
		}
		return &out.Variants[i]
	}
	for _, v := range variants {
		variant(v.Key)
	}
	current := len(out.Variants)
	for _, c := range hours {
		if c.HourMS < p.from || c.HourMS >= p.to {
			continue
		}
		out.add(p, c)
		variant(c.Variant).add(p, c)
	}
	slices.SortFunc(out.Variants[current:], func(a, b variantFigures) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// spanOf reads from, to and interval. The time asked for is widened to whole
// intervals.
func spanOf(r *http.Request, nowMS int64) (span, error) {
	q := r.URL.Query()
	p := span{step: hourMS}
	widest := int64(maxHourlyDays)
	switch q.Get("interval") {
	case "", "hour":
	case "day":
		p.step, widest = dayMS, maxDailyDays
	default:
		return p, invalidParameter("interval", "must be hour or day.")
	}
	at := func(name string) (int64, error) {
		t, err := time.Parse(time.RFC3339, q.Get(name))
		if err != nil || t.UnixMilli() < 0 || t.UnixMilli() > popup.Never-p.step {
			return 0, invalidParameter(name, "must be an RFC 3339 time, as 2026-01-31T00:00:00Z.")
		}
		return t.UnixMilli(), nil
	}
	p.to = floor(nowMS, p.step) + p.step
	if q.Has("to") {
		to, err := at("to")
		if err != nil {
			return p, err
		}
		p.to = ceil(to, p.step)
	}
	p.from = max(0, p.to-defaultStatsDays*dayMS)
	if q.Has("from") {
		from, err := at("from")
		if err != nil {
			return p, err
		}
		p.from = floor(from, p.step)
	}
	switch {
	case p.from >= p.to:
		return p, invalidParameter("from", "must be before to.")
	case p.to-p.from > widest*dayMS:
		return p, invalidParameter("from", "is too long before to: at most 31 days by hour, 1098 days by day.")
	}
	return p, nil
}

func (a *API) getStats(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	p, err := spanOf(r, a.config.Now())
	if err != nil {
		return err
	}
	ctx, cancel := reading(r)
	defer cancel()
	about, err := a.config.Catalog.Popup(ctx, key)
	if err != nil {
		return err
	}
	hours, err := a.config.Statistics.Stats(ctx, about.ID, p.from, p.to)
	if err != nil {
		return err
	}
	console.WriteJSON(w, http.StatusOK, p.summarize(about.Variants, hours))
	return nil
}
