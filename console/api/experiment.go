package api

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/experiment"
	"github.com/popupd/popupd/popup"
)

// experimentArm is a variant as one goal sees it. Lift and its bounds are null for the
// baseline, and while there are too few users to compare.
type experimentArm struct {
	Variant   string   `json:"variant"`
	Control   bool     `json:"control"`
	Baseline  bool     `json:"baseline"` // the others are compared with it
	Users     uint64   `json:"users"`
	Converted uint64   `json:"converted"`
	Rate      float64  `json:"rate"`
	Lift      *float64 `json:"lift"`
	LiftLow   *float64 `json:"lift_low"`
	LiftHigh  *float64 `json:"lift_high"`
	Different bool     `json:"different"` // from the baseline, with all comparisons taken together

	// What is shown and never tested.
	Impressions uint64  `json:"impressions"`
	Clicks      uint64  `json:"clicks"`
	CTR         float64 `json:"ctr"` // clicks per impression; 0 without impressions
}

type sampleRatioMismatch struct {
	P      float64           `json:"p"`
	Status experiment.Status `json:"status"`
	Since  *time.Time        `json:"since"` // the last change of weights; nil: there was none
}

type experimentChange struct {
	Version uint32    `json:"version"`
	At      time.Time `json:"at"`
	Fields  []string  `json:"fields"` // weights, targeting, content, goal
}

type experimentResult struct {
	Goal       popup.ExperimentGoal `json:"goal"`
	WindowDays int                  `json:"window_days"`
	Status     experiment.State     `json:"status"`
	Since      *time.Time           `json:"since"` // when the version was made under which the first user was exposed; nil: nobody was
	Level      float64              `json:"level"` // of each interval
	Arms       []experimentArm      `json:"arms"`
	SRM        sampleRatioMismatch  `json:"srm"`
	MixedUsers uint64               `json:"mixed_users"`
	Changes    []experimentChange   `json:"changes"`
}

func (a *API) getExperiment(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	goal, windowDays, err := experimentParameters(r)
	if err != nil {
		return err
	}
	ctx, cancel := reading(r)
	defer cancel()
	about, err := a.config.Catalog.Popup(ctx, key)
	if err != nil {
		return err
	}
	revisions, err := a.config.Trail.Revisions(ctx, key)
	if err != nil {
		return err
	}
	windowDays = cmp.Or(windowDays, experiment.WindowDays(&about.Spec))
	counts, err := a.config.Statistics.Experiment(ctx, about.ID, windowDays)
	if err != nil {
		return err
	}
	result, ok := experiment.Evaluate(revisions, counts)
	if !ok {
		return console.NewProblem(http.StatusNotFound, "no_experiment",
			"The popup never had two variants with a weight, so there is nothing to compare. Give it another variant, which may be a control.")
	}
	var totals []popup.Counts
	if !result.Since.IsZero() {
		if totals, err = a.config.Statistics.VariantTotals(ctx, about.ID, result.Since.UnixMilli()-hourMS); err != nil {
			return err
		}
	}
	console.WriteJSON(w, http.StatusOK, experimentOf(&result, goal, windowDays, totals))
	return nil
}

// experimentParameters reads what is asked for; windowDays is 0 for the popup's own window.
func experimentParameters(r *http.Request) (goal popup.ExperimentGoal, windowDays int, err error) {
	q := r.URL.Query()
	switch goal = popup.ExperimentGoal(q.Get("goal")); goal {
	case "":
		goal = popup.ClickGoal
	case popup.ClickGoal, popup.ConvertGoal:
	default:
		return "", 0, invalidParameter("goal", "must be click or convert.")
	}
	if text := q.Get("window_days"); text != "" {
		windowDays, err = strconv.Atoi(text)
		if err != nil || windowDays < 1 || windowDays > popup.MaxExperimentDays {
			return "", 0, invalidParameter("window_days", "must be 1 to "+strconv.Itoa(popup.MaxExperimentDays)+".")
		}
	}
	return goal, windowDays, nil
}

func experimentOf(r *experiment.Result, goal popup.ExperimentGoal, windowDays int, totals []popup.Counts) experimentResult {
	out := experimentResult{
		Goal: goal, WindowDays: windowDays, Status: r.State(goal), Since: timeOrNull(r.Since), Level: r.Level, Arms: []experimentArm{},
		SRM:        sampleRatioMismatch{r.Mismatch.P, r.Mismatch.Status, timeOrNull(r.Mismatch.Since)},
		MixedUsers: r.Mixed, Changes: []experimentChange{},
	}
	for _, c := range r.Changes {
		out.Changes = append(out.Changes, experimentChange{c.Version, c.At.UTC(), c.Fields})
	}
	for i, arm := range r.Arms {
		g := arm.Goals[goal]
		a := experimentArm{
			Variant: arm.Variant, Control: arm.Control, Baseline: i == 0,
			Users: g.Users, Converted: g.Converted, Rate: g.Rate(), Different: g.IsDifferent,
		}
		if g.IsCompared {
			a.Lift, a.LiftLow, a.LiftHigh = &g.Lift, &g.Low, &g.High
		}
		for _, c := range totals {
			if c.Variant == arm.Variant {
				a.Impressions, a.Clicks = c.Impressions, c.Clicks
			}
		}
		if a.Impressions > 0 {
			a.CTR = float64(a.Clicks) / float64(a.Impressions)
		}
		out.Arms = append(out.Arms, a)
	}
	return out
}

// timeOrNull returns nil for the zero time.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
