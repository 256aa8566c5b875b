// Package tuning looks at a machine and at the stores and says where popupd
// would have them otherwise: what was found, what is wanted and why, how to
// change it and how to go back. It never changes anything itself.
//
// A check is data, see [check]; the checks are in the files checks_*.go, each
// list in the order of the report. What cannot be read, or makes no sense, is
// a finding of the status [Unknown].
//
// Wanted values follow from one envelope, not from custom: 50,000 new
// connections a second at worst, thousands of connections kept alive, answers
// within 80 ms.
package tuning

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// The envelope.
const (
	connectionRate = 50_000 // new connections a second
	patience       = 80     // ms
)

// Status says how much a finding matters.
type Status string

const (
	Critical Status = "critical" // events can be lost, or popupd cannot work
	Warn     Status = "warn"     // it costs speed or safety under load
	Unknown  Status = "unknown"  // it could not be read
	OK       Status = "ok"
)

// Site is what is looked at.
type Site struct {
	Host    Host
	Process Process
	Disk    Disk
	Servers int     // how many popupd share the stores
	MySQL   []MySQL // one a node
	Redis   []Redis // one a node
}

// Process is what the Go runtime makes of the machine.
type Process struct {
	CPUs       int    // that it may run on
	MaxProcs   int    // runtime.GOMAXPROCS
	MaxProcsBy string // $GOMAXPROCS
	MemLimit   int64  // bytes, of $GOMEMLIMIT; 0: not set
	StateMax   int64  // bytes, of -state-max
}

// Setting is a kernel parameter to be changed.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Was   string `json:"was"`
}

// Finding is the result of one check. The JSON names are stable.
type Finding struct {
	Status   Status    `json:"status"`
	Check    string    `json:"check"`
	Found    string    `json:"found"`
	Wanted   string    `json:"wanted"`
	Why      string    `json:"why"`
	Source   string    `json:"source,omitempty"`   // where it can be read up
	Change   string    `json:"change,omitempty"`   // absent if it is as wanted
	Rollback string    `json:"rollback,omitempty"` // likewise
	Sysctl   []Setting `json:"sysctl,omitempty"`   // the same change as kernel parameters
}

// check is one thing to look at. wanted and source are the same whatever is
// found, unless the verdict says otherwise.
type check struct {
	name   string
	wanted string
	why    string
	source string
	look   func(*Site) (verdict, error)
}

// verdict is what a check makes of a site. The zero status is OK.
type verdict struct {
	status   Status
	found    string
	wanted   string
	change   string
	rollback string
	settings []Setting // make up change and rollback where these are empty
}

// Report is what was found, the worst first.
type Report struct {
	Kernel   string    `json:"kernel"` // its release, empty if not known
	Findings []Finding `json:"findings"`
}

// Examine makes all checks.
func Examine(s Site) Report {
	r := Report{Findings: []Finding{}}
	r.Kernel, _, _, _ = s.Host.kernel() // a check that needs it says so itself
	for _, c := range slices.Concat(networkChecks(), runtimeChecks(), diskChecks(), mysqlChecks(s.MySQL), redisChecks(s.Redis)) {
		r.Findings = append(r.Findings, c.finding(&s))
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(statuses, a.Status), slices.Index(statuses, b.Status))
	})
	return r
}

// statuses, the worst first.
var statuses = []Status{Critical, Warn, Unknown, OK}

// Critical reports whether something is.
func (r Report) Critical() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Status == Critical })
}

func (c check) finding(s *Site) Finding {
	v, err := c.look(s)
	if err != nil {
		v = verdict{status: Unknown, found: reason(err), wanted: v.wanted}
	}
	f := Finding{
		Status: cmp.Or(v.status, OK), Check: c.name, Found: v.found, Wanted: cmp.Or(v.wanted, c.wanted),
		Why: c.why, Source: c.source, Change: v.change, Rollback: v.rollback, Sysctl: v.settings,
	}
	for i, p := range v.settings {
		if i > 0 {
			f.Change += "; "
			f.Rollback += "; "
		}
		f.Change += setSysctl(p.Key, p.Value)
		f.Rollback += setSysctl(p.Key, p.Was)
	}
	return f
}

func setSysctl(key, value string) string {
	if strings.Contains(value, " ") {
		value = strconv.Quote(value)
	}
	return "sysctl -w " + key + "=" + value
}

// reason says in short why something is not known.
func reason(err error) string {
	var path *fs.PathError
	switch {
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist):
		return "there is no /" + path.Path
	case errors.As(err, &path):
		return fmt.Sprintf("/%s: %v", path.Path, path.Err)
	}
	return err.Error()
}
