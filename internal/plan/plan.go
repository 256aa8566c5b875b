// Package plan is the command popupd plan: from a load it reckons the servers, the memory, the
// disk and the stores that carry it. The formulas and what was measured for them are those of
// docs/capacity.md, and a test holds the two equal.
package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/popupd/popupd/internal/cli"
)

// Run prints a plan.
func Run(c cli.Plan, stdout io.Writer) error {
	p, err := of(c)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(p)
	}
	return p.write(stdout, c)
}

// Scopes are values of -state-scope.
const (
	scopeAll    = "all"
	scopeHashed = "hashed"
)

// plan is what a load needs, and the answer to -json. Rates are a second, bytes are whole.
type plan struct {
	Load    load     `json:"load"`
	Servers servers  `json:"servers"`
	Redis   redis    `json:"redis"`
	MySQL   mysql    `json:"mysql"`
	Notes   []string `json:"notes"`
}

type load struct {
	Served        float64 `json:"served"` // at the peak, as all without Average
	Actions       float64 `json:"actions"`
	Events        float64 `json:"events"`
	AverageServed float64 `json:"average_served"`
	Average       float64 `json:"average_events"`
	Pairs         float64 `json:"user_popup_pairs"` // of users and popups that were shown to them
	Rows          float64 `json:"user_popup_rows"`  // of these, that a year brings
	Entries       float64 `json:"state_entries"`    // of them that matter at one time
	Visitors      float64 `json:"visitors"`         // users who have polled within the time that -state-scope hashed holds them
}

type servers struct {
	Count           int     `json:"count"`
	Needed          int     `json:"needed"` // the rest may be away
	Cores           float64 `json:"cores"`  // that the peak takes, of all servers
	StateScope      string  `json:"state_scope"`
	StateMax        int64   `json:"state_max_bytes"`
	JournalMax      int64   `json:"journal_max_bytes"`
	Memory          int64   `json:"memory_bytes"` // of each
	Disk            int64   `json:"disk_bytes"`
	Lookups         float64 `json:"lookups"` // users a second whom -state-scope hashed looks up
	EndsAtPolls     float64 `json:"one_server_ends_at_polls"`
	EndsAtEntries   float64 `json:"one_server_ends_at_entries"`
	StartSec        float64 `json:"start_sec"` // with a dump, after a minute away
	StartWithoutSec float64 `json:"start_without_dump_sec"`
}

type redis struct {
	MaxMemory int64 `json:"maxmemory_bytes"`
}

type mysql struct {
	Cores       float64 `json:"cores"`
	Connections int     `json:"connections"`
	Hot         float64 `json:"hot_bytes"` // that flushes read and write at random
	Disk        float64 `json:"disk_bytes"`
	Tables      []table `json:"tables"`
}

type table struct {
	Name  string  `json:"name"`
	Rows  float64 `json:"rows"`
	Bytes float64 `json:"bytes"`
	Until string  `json:"until"` // how long a row stays
}

// of reckons a plan.
func of(c cli.Plan) (*plan, error) {
	p := &plan{Load: loadOf(c), Notes: []string{}}
	if err := p.reckonServers(c); err != nil {
		return nil, err
	}
	p.Redis.MaxMemory = int64(p.Servers.Count) * redisBytes
	p.reckonMySQL(c)
	p.reckonStarts()
	p.note(c)
	return p, nil
}

func loadOf(c cli.Plan) load {
	l := load{Served: c.Polls * c.Serve}
	l.Actions = l.Served * c.Actions
	l.Events = l.Served + l.Actions
	l.Pairs = c.Users * c.Seen
	// A pair is shown again when its wait is over, so no more can be served on average.
	click, other := c.AfterClick, max(c.AfterDismiss, c.AfterImpression)
	l.AverageServed = min(l.Served*c.Average, l.Pairs/max(1, mix(c.Clicks, wait(click), wait(other))))
	l.Average = l.AverageServed * (1 + c.Actions)
	l.Rows = min(l.Pairs, l.AverageServed*year)
	l.Entries = l.Pairs
	if !c.Capped && click != cli.Forever && other != cli.Forever {
		// An entry stays while its wait runs, and while an action may be reported again.
		l.Entries = min(l.Pairs, l.AverageServed*mix(c.Clicks, max(click, tokenLife).Seconds(), max(other, tokenLife).Seconds()))
	}
	l.Visitors = min(c.Users, c.Polls*pollSec*(1+heldSec/c.Visit.Seconds()))
	return l
}

// mix is the mean of two things, of which the first has a share.
func mix(share, first, second float64) float64 { return share*first + (1-share)*second }

// wait is a wait in seconds. One that does not end is of a year: that long is planned for.
func wait(d time.Duration) float64 {
	if d == cli.Forever {
		return year
	}
	return d.Seconds()
}

const (
	day  = 24 * 60 * 60
	year = 365 * day
)

// tokenLife is how long an action may be reported again, for which an entry stays.
const tokenLife = 7 * 24 * time.Hour

// reckonServers finds how many servers there must be for the polls and the memory, and adds those that may
// be away.
func (p *plan) reckonServers(c cli.Plan) error {
	s := &p.Servers
	s.Cores = wakeFactor / 1e6 * ((c.Polls-p.Load.Served)*pollNothingUS + p.Load.Served*pollServedUS + p.Load.Actions*actionUS)
	s.EndsAtPolls = c.Polls * c.Cores * busyShare / s.Cores
	s.Needed = max(int(math.Ceil(s.Cores/c.Cores/busyShare)), int(math.Ceil(p.Load.Events/flushPerSec)))

	room := float64(c.Memory)*memoryShare - baseBytes // for entries and connections
	connections := float64(c.Connections) * connectionBytes
	state := p.Load.Entries * entryBytes
	s.EndsAtEntries = max(0, room-connections/float64(s.Needed)) / entryBytes
	isRoom := rounded(state) <= room-connections/float64(s.Needed)
	switch {
	case c.Scope == scopeAll && !isRoom:
		return fmt.Errorf("-state-scope all: %s entries take %s on each server, of which %s has room for %s; %w",
			count(p.Load.Entries), about(state), about(float64(c.Memory)), count(s.EndsAtEntries), cli.ErrUsage)
	case c.Scope == scopeHashed || !isRoom:
		s.StateScope = scopeHashed
		state = p.Load.Visitors * (heldBytes + p.Load.Entries/c.Users*entryBytes) * hashSkew
		s.Needed = max(s.Needed, int(math.Ceil((state+connections)/(room-stateUnit))))
		state /= float64(s.Needed)
		s.Lookups = c.Polls * pollSec / c.Visit.Seconds()
	default:
		s.StateScope = scopeAll
	}
	s.Count = s.Needed + c.Spare
	if s.Needed > maxServers {
		return fmt.Errorf("%d servers of %v cores and %s would be needed: give larger ones with -cores and -memory; %w", s.Needed, c.Cores, about(float64(c.Memory)), cli.ErrUsage)
	}
	s.StateMax = int64(rounded(state))
	s.JournalMax = int64(rounded(p.Load.Events / float64(s.Needed) * max(c.Outage.Seconds(), journalKeepSec) * float64(journalBytes+c.UID)))
	s.Memory = baseBytes + s.StateMax + int64(connections)/int64(s.Needed)
	s.Disk = s.JournalMax + 3*s.StateMax
	return nil
}

// maxServers is more than one deployment was thought of for.
const maxServers = 10_000

// stateUnit is what -state-max and -journal-max are multiples of.
const stateUnit = 64 << 20

// rounded is the next multiple of stateUnit.
func rounded(bytes float64) float64 { return max(1, math.Ceil(bytes/stateUnit)) * stateUnit }

func (p *plan) reckonMySQL(c cli.Plan) {
	m := &p.MySQL
	m.Cores = p.Load.Events * flushUS / 1e6
	m.Connections = p.Servers.Count * connectionsMySQL
	events, until := c.Retention.Seconds(), "until -retention"
	if c.Retention == 0 {
		events, until = year, ofYear
	}
	served := p.Load.AverageServed
	user := float64(c.UID - 16)
	add := func(name string, rows, bytes float64, until string) {
		m.Tables = append(m.Tables, table{name, math.Ceil(rows), math.Ceil(rows * bytes), until})
		m.Disk += math.Ceil(rows * bytes)
	}
	add("event", p.Load.Average*events, eventRow+user, until)
	add("impression", served*impressionDays*day, impressionRow+user, "for 8 to 9 days, or a day longer than its goal counts")
	add("user_popup", p.Load.Rows, userPopupRow+user, "until 8 days after the popup is archived")
	if c.Variants > 1 {
		add("experiment_user", p.Load.Rows, experimentUserRow+user, "the same")
	}
	for _, t := range m.Tables[1:] {
		m.Hot += t.Bytes
	}
	add("popup_stats", float64(c.Popups*c.Variants)*365*24, statsRow, ofYear)
	add("popup_why_not", float64(c.Popups)*whyNotDays*24*whyNotReasons, whyNotRow, "for 90 days")
}

// ofYear is said of rows that stay for ever.
const ofYear = "of a year, since none leaves"

// reckonStarts says how long a server is away when it is started again. It has been away for a minute
// then, and others have gone on.
func (p *plan) reckonStarts() {
	const away = 60
	s := &p.Servers
	if s.StateScope == scopeHashed { // it reads those whom its dump held
		s.StartSec = float64(s.StateMax) / entryBytes * dumpEntryUS / 1e6
		return
	}
	others := p.Load.Events * float64(s.Count-1) / float64(s.Count)
	s.StartSec = (p.Load.Entries*dumpEntryUS + others*away*dumpEventUS) / 1e6
	s.StartWithoutSec = (p.Load.Rows*startRowUS + p.Load.Entries*startEntryUS) / 1e6
}

// note says in words what the figures mean for somebody who plans.
func (p *plan) note(c cli.Plan) {
	say := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	s := p.Servers
	switch {
	case s.StateScope == scopeAll:
		say("Every server holds all users: -state-scope all, which ends at %s entries on servers of this size.", count(s.EndsAtEntries))
	case c.Scope == "":
		say("A server has room for %s of %s entries: -state-scope hashed, behind a load balancer that hashes on uid.", count(s.EndsAtEntries), count(p.Load.Entries))
	}
	if s.StateScope == scopeHashed {
		say("%s users come in half an hour, and %s a second are looked up in MySQL.", count(p.Load.Visitors), count(s.Lookups))
	}
	say("One server of this size ends at %s polls/s of this mix.", count(s.EndsAtPolls))
	if asked := p.Load.Served * c.Average; p.Load.AverageServed < 0.99*asked {
		say("These waits let %s popups a second be shown on average, not %s: rows are reckoned of that.", count(p.Load.AverageServed), count(asked))
	}
	if c.Retention == 0 {
		say("-retention 0s: event grows by %s a year and is never emptied.", about(p.MySQL.Tables[0].Bytes))
	} else if p.Load.Average > deletePerSec {
		say("More events come than are deleted, %s a second: event grows beyond what it holds until -retention.", count(deletePerSec))
	}
	if rows := p.MySQL.Tables[1].Rows; rows > walkPerSec*day {
		say("A walk through impression takes longer than a day, so its rows stay for %.0f days.", impressionDays-1+rows/(walkPerSec*day))
	}
	if p.Load.Events > flushPerSec {
		say("More than %s events/s in one MySQL were not measured.", count(flushPerSec))
	}
}
