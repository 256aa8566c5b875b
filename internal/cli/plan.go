package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"time"
)

// Plan is the configuration of popupd plan: a load, and the machines to carry it.
type Plan struct {
	Polls   float64 // a second, at the peak
	Average float64 // polls a second over a month, as a share of those
	Users   float64
	Popups  int     // that are not archived
	Seen    float64 // of these, that a user is shown; 0: all

	Serve, Clicks, Actions     float64 // shares of the polls, of what is served, and numbers of what is served
	AfterClick, AfterDismiss   time.Duration
	AfterImpression            time.Duration // Forever: for ever
	Capped                     bool          // popups have max_impressions
	Variants, UID, Connections int           // of a popup; bytes of a user id; of all servers
	Visit, Retention, Outage   time.Duration
	Cores                      float64 // of a server
	Memory                     int64   // of a server
	Spare                      int     // servers that may be away
	Scope                      string  // -state-scope of the servers; empty: all while there is room for all
	JSON                       bool
}

// Forever is a wait that does not end.
const Forever = time.Duration(-1)

// wait is a time, or Forever.
type wait time.Duration

func (w wait) MarshalText() ([]byte, error) {
	if time.Duration(w) == Forever {
		return []byte("forever"), nil
	}
	return []byte(time.Duration(w).String()), nil
}

func (w *wait) UnmarshalText(text []byte) error {
	if string(text) == "forever" {
		*w = wait(Forever)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is neither forever nor a time such as 720h", text)
	}
	*w = wait(d)
	return nil
}

func planFlags(c *Plan) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd plan", flag.ContinueOnError)
	fs.Float64Var(&c.Polls, "polls", 0, "Carry `N` polls a second at the peak")
	fs.Float64Var(&c.Average, "average", 0.5, "Take this `share` of the peak for the average of a month")
	fs.Float64Var(&c.Users, "users", 0, "Know `N` users")
	fs.IntVar(&c.Popups, "popups", 10, "Have `N` popups that are not archived")
	fs.Float64Var(&c.Seen, "seen", 0, "Show a user `N` of these popups; 0 means all of them")
	fs.Float64Var(&c.Serve, "serve", 0.1, "Answer this `share` of the polls with a popup")
	fs.Float64Var(&c.Clicks, "clicks", 0.1, "Have this `share` of the popups that are served clicked")
	fs.Float64Var(&c.Actions, "actions", 1, "Get `N` actions for each popup that is served: views, clicks, dismissals and what else is reported")
	fs.TextVar((*wait)(&c.AfterClick), "after-click", wait(30*24*time.Hour), "Let users wait for this `time` after a click; or forever")
	fs.TextVar((*wait)(&c.AfterDismiss), "after-dismiss", wait(24*time.Hour), "Let users wait for this `time` after a dismissal; or forever")
	fs.TextVar((*wait)(&c.AfterImpression), "after-impression", wait(24*time.Hour), "Let users wait for this `time` after an impression; or forever")
	fs.BoolVar(&c.Capped, "capped", false, "Have popups with max_impressions, whose users are remembered for ever")
	fs.IntVar(&c.Variants, "variants", 1, "Have `N` variants of each popup")
	fs.IntVar(&c.UID, "uid-bytes", 16, "Have user ids of `N` bytes")
	fs.DurationVar(&c.Visit, "visit", 10*time.Minute, "Have users stay for this long, polling each minute; -state-scope hashed holds those of the last half hour")
	fs.IntVar(&c.Connections, "connections", 1000, "Hold `N` connections of clients or balancers open, on all servers together")
	fs.DurationVar(&c.Retention, "retention", defaultRetention, "Keep events for this long; 0 means for ever, of which a year is planned")
	fs.DurationVar(&c.Outage, "outage", time.Hour, "Lose nothing while the database is away for this `time`")
	fs.Float64Var(&c.Cores, "cores", 4, "Use servers with `N` cores")
	fs.TextVar((*size)(&c.Memory), "memory", size(8<<30), "Use servers with so much memory, as 8GiB")
	fs.StringVar(&c.Scope, "state-scope", "", "Plan servers with this `scope` of users, all or hashed; without it the plan says which: all where there is room for them")
	fs.IntVar(&c.Spare, "spare", 1, "Have `N` servers more than the load needs, so that as many may be away")
	fs.BoolVar(&c.JSON, "json", false, "Print JSON")
	return fs
}

// ParsePlan is [ParseServe] for popupd plan.
func ParsePlan(args, environ []string, help io.Writer) (Plan, error) {
	var c Plan
	if _, err := parseFlags(planFlags(&c), args, environ, help); err != nil {
		return c, err
	}
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("%w; %w", err, ErrUsage)
	}
	if c.Seen == 0 {
		c.Seen = float64(c.Popups)
	}
	return c, nil
}

func (c *Plan) validate() error {
	for _, f := range []struct {
		flag      string
		v, lo, hi float64
	}{
		{"polls", c.Polls, 1, 1e9},
		{"average", c.Average, 0.001, 1},
		{"users", c.Users, 1, 1e12},
		{"popups", float64(c.Popups), 1, 1e6},
		{"seen", c.Seen, 0, float64(c.Popups)},
		{"serve", c.Serve, 0, 1},
		{"clicks", c.Clicks, 0, 1},
		{"actions", c.Actions, c.Clicks, 100},
		{"variants", float64(c.Variants), 1, 8},
		{"uid-bytes", float64(c.UID), 1, 128},
		{"connections", float64(c.Connections), 1, 1e9},
		{"cores", c.Cores, 0.1, 1024},
		{"spare", float64(c.Spare), 0, 1000},
	} {
		switch {
		case f.v == 0 && (f.flag == "polls" || f.flag == "users"):
			return fmt.Errorf("-%s is missing: the number to plan for", f.flag)
		case math.IsNaN(f.v) || f.v < f.lo || f.v > f.hi:
			return fmt.Errorf("-%s %v: want %v to %v", f.flag, f.v, f.lo, f.hi)
		}
	}
	switch {
	case c.Retention < 0:
		return fmt.Errorf("-retention %v: want 0 or more", c.Retention)
	case c.Scope != "" && c.Scope != "all" && c.Scope != "hashed":
		return fmt.Errorf("-state-scope %q: want all or hashed", c.Scope)
	case c.Visit < time.Minute:
		return fmt.Errorf("-visit %v: want 1m or more", c.Visit)
	case c.Outage < 0:
		return fmt.Errorf("-outage %v: want 0 or more", c.Outage)
	case c.Memory < 512<<20:
		return errors.New("-memory: want 512MiB or more")
	}
	return nil
}
