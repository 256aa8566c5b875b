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
	Timezone string    `json:"timezone"` // whose hours and days these are
	figures
	Variants     []variantFigures  `json:"variants"`
	WhyNot       map[string]uint64 `json:"why_not"` // polls by what stopped the popup, as estimated
	WhyNotSample whyNotSample      `json:"why_not_sample"`
}

// whyNotSample says what the estimates are made of.
type whyNotSample struct {
	Polls   uint64  `json:"polls"`   // while the popup was active, as estimated
	Sampled uint64  `json:"sampled"` // of which were looked at
	Rate    float64 `json:"rate"`    // sampled/polls; 0 without polls
}

// addWhyNot adds what stopped the popup.
func (s *statistics) addWhyNot(reasons []popup.WhyNot) {
	s.WhyNot = map[string]uint64{}
	sample := &s.WhyNotSample
	for _, r := range reasons {
		sample.Polls += r.Polls
		sample.Sampled += r.Sampled
		if r.Reason != popup.Eligible {
			s.WhyNot[r.Reason.String()] += r.Polls
		}
	}
	if sample.Polls > 0 {
		sample.Rate = float64(sample.Sampled) / float64(sample.Polls)
	}
}

// span is the time that statistics are asked for: [from, to) in ms, in hours or days of
// a zone. Both are where one begins, so that each point of a series is whole.
type span struct {
	from, to int64
	byDay    bool
	zone     *time.Location
	starts   []int64 // of the points, by time
}

// around returns where the hour or day of a time begins and ends.
func (p *span) around(ms int64) (from, to int64) {
	if p.byDay {
		return popup.DayOf(ms, p.zone)
	}
	return popup.HourOf(ms, p.zone)
}

func (p *span) time(ms int64) time.Time { return time.UnixMilli(ms).In(p.zone) }

// divide finds the points. Of a span that is too long it finds one too many by day.
func (p *span) divide() {
	for at := p.from; at < p.to && len(p.starts) <= maxDailyDays; {
		p.starts = append(p.starts, at)
		_, at = p.around(at)
	}
}

// isTooLong tells 31 days by their hours on the clock: one of them may have 25.
func (p *span) isTooLong() bool {
	if p.byDay {
		return len(p.starts) > maxDailyDays
	}
	_, fromOffset := p.time(p.from).Zone()
	_, toOffset := p.time(p.to).Zone()
	return p.to-p.from+int64(toOffset-fromOffset)*1000 > maxHourlyDays*dayMS
}

func (p *span) newFigures() figures {
	f := figures{Series: make([]point, len(p.starts))}
	for i, start := range p.starts {
		f.Series[i].At = p.time(start)
	}
	return f
}

// add adds an hour to the point that it begins in. An hour of before the zone was changed
// may be in two.
func (f *figures) add(p *span, c popup.Counts) {
	f.Totals.add(c)
	i, found := slices.BinarySearch(p.starts, c.HourMS)
	if !found {
		i--
	}
	f.Series[i].add(c)
}

// summarize sums the hours of a popup. Variants come in the order of the popup,
// then those that it had once, by key.
func (p *span) summarize(variants []popup.Variant, hours []popup.Counts) statistics {
	interval := "hour"
	if p.byDay {
		interval = "day"
	}
	out := statistics{
		From: p.time(p.from), To: p.time(p.to), Interval: interval, Timezone: p.zone.String(),
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
// intervals of the zone.
func spanOf(r *http.Request, nowMS int64, zone *time.Location) (*span, error) {
	q := r.URL.Query()
	p := &span{zone: zone}
	latest := popup.Never - hourMS
	switch q.Get("interval") {
	case "", "hour":
	case "day":
		p.byDay, latest = true, popup.Never-dayMS
	default:
		return nil, invalidParameter("interval", "must be hour or day.")
	}
	const wrongTime = "must be an RFC 3339 time, as 2026-01-31T00:00:00Z."
	at := func(name string) (int64, error) {
		t, err := time.Parse(time.RFC3339, q.Get(name))
		if err != nil || t.UnixMilli() < 0 || t.UnixMilli() > latest {
			return 0, invalidParameter(name, wrongTime)
		}
		return t.UnixMilli(), nil
	}
	_, p.to = p.around(nowMS)
	if q.Has("to") {
		to, err := at("to")
		if err != nil {
			return nil, err
		}
		_, p.to = p.around(to - 1)
	}
	if p.time(p.to).Year() > 9999 { // which RFC 3339 cannot say
		return nil, invalidParameter("to", wrongTime)
	}
	if q.Has("from") {
		from, err := at("from")
		if err != nil {
			return nil, err
		}
		p.from, _ = p.around(from)
	} else {
		p.setDefaultFrom()
	}
	p.divide()
	switch {
	case p.from >= p.to:
		return nil, invalidParameter("from", "must be before to.")
	case p.isTooLong():
		return nil, invalidParameter("from", "is too long before to: at most 31 days by hour, 1098 days by day.")
	}
	return p, nil
}

// setDefaultFrom makes a span of seven days.
func (p *span) setDefaultFrom() {
	if !p.byDay {
		p.from, _ = p.around(max(0, p.to-defaultStatsDays*dayMS))
		return
	}
	p.from = p.to
	for range defaultStatsDays {
		p.from, _ = p.around(max(0, p.from-1))
	}
}

func (a *API) getStats(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	p, err := spanOf(r, a.config.Now(), a.config.ReportZone)
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
	reasons, err := a.config.WhyNot.WhyNot(ctx, about.ID, p.from, p.to)
	if err != nil {
		return err
	}
	out := p.summarize(about.Variants, hours)
	out.addWhyNot(reasons)
	console.WriteJSON(w, http.StatusOK, out)
	return nil
}
