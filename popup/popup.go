// Package popup holds the words that the rest of popupd speaks: a popup as
// operators configure it ([Popup]), what they configure for all of them ([Settings]), a
// user who asks for one ([Request]), what happened ([Event]) and what is remembered of
// it ([State]).
//
// It is the leaf of the import graph: the standard library only, no clock, and no
// I/O but for reading time zones. Times are milliseconds since the Unix epoch,
// UTC, unless a name says otherwise; waits are whole seconds, as in the
// configuration.
package popup

import "time"

// Status is where a popup stands in its life. Only an active popup is served.
type Status string

// The life of a popup: draft -> active <-> paused -> archived. Archived is final.
const (
	Draft    Status = "draft"
	Active   Status = "active"
	Paused   Status = "paused"
	Archived Status = "archived"
)

// Popup is a stored popup: what its operator wrote and what the store added.
type Popup struct {
	ID        uint32    `json:"id"`         // never reused
	Version   uint32    `json:"version"`    // 1, 2, 3... one more with every change
	UpdatedAt time.Time `json:"updated_at"` // UTC, of the last change
	Source    string    `json:"source"`     // which file an import last took it from; empty: from none
	Spec
}

// Spec is what an operator writes. [Decode] fills in the defaults, [Spec.Validate]
// names every field that is wrong.
type Spec struct {
	Key        string    `json:"key"` // [a-z0-9][a-z0-9-]{0,63}; never changes
	Name       string    `json:"name"`
	Status     Status    `json:"status"`
	Priority   int       `json:"priority"` // higher goes first
	Placements []string  `json:"placements"`
	Trigger    string    `json:"trigger"` // what the page waits for before it asks, see ValidTrigger
	Schedule   Schedule  `json:"schedule"`
	Targeting  Targeting `json:"targeting"`
	Rollout    Rollout   `json:"rollout"`
	Frequency  Frequency `json:"frequency"`
	Goal       GoalSpec  `json:"goal"`
	Variants   []Variant `json:"variants"`
	Tags       []string  `json:"tags"`
}

// Schedule says when a popup may be shown. Zero times are open ends; an empty
// list of days or hours means all of them.
type Schedule struct {
	StartAt  *time.Time  `json:"start_at"`  // inclusive
	EndAt    *time.Time  `json:"end_at"`    // exclusive
	Timezone string      `json:"timezone"`  // IANA name; days and hours are local to it
	UserTime bool        `json:"user_time"` // they are local to the zone of the request, to Timezone if it has none that is known
	Days     []string    `json:"days"`      // mon tue wed thu fri sat sun: the day on which a window starts
	Hours    [][2]string `json:"hours"`     // ["HH:MM","HH:MM"], end exclusive, may cross midnight, "24:00" allowed as an end
}

// Targeting matches when every condition of All holds, at least one of Any
// (if there are any), and none of None.
type Targeting struct {
	All  []Condition `json:"all"`
	Any  []Condition `json:"any"`
	None []Condition `json:"none"`
}

// Condition compares one attribute of a request with a value: a string, a
// number, a bool or, for in, not_in and in_cidr, a list of these. An attribute that a
// request gives several times is a set: the operator holds if it does for any of its
// members, and Neq, NotIn and NotExists are the opposites of Eq, In and Exists.
type Condition struct {
	Attr       string `json:"attr"`
	Op         Op     `json:"op"`
	Value      any    `json:"value,omitempty"`
	IgnoreCase bool   `json:"ignore_case,omitempty"` // compare texts without regard to letter case; see [Op.TakesIgnoreCase]
}

// Op is the operator of a [Condition].
type Op string

// A missing attribute satisfies only Neq, NotIn and NotExists. One that cannot be read
// as the number, version, time or address that an operator compares is like a missing one.
const (
	Eq        Op = "eq"
	Neq       Op = "neq"
	In        Op = "in"
	NotIn     Op = "not_in"
	Gt        Op = "gt" // Gt to Lte compare numbers
	Gte       Op = "gte"
	Lt        Op = "lt"
	Lte       Op = "lte"
	Contains  Op = "contains"
	Prefix    Op = "prefix"
	Suffix    Op = "suffix"
	Exists    Op = "exists"
	NotExists Op = "not_exists"
	SemverEq  Op = "semver_eq" // SemverEq to SemverLte compare versions, see [ParseVersion]
	SemverGt  Op = "semver_gt"
	SemverGte Op = "semver_gte"
	SemverLt  Op = "semver_lt"
	SemverLte Op = "semver_lte"
	Matches   Op = "matches" // a regular expression, see [CompilePattern]
	Before    Op = "before"  // Before and After compare times, see [ParseTime]
	After     Op = "after"
	OlderThan Op = "older_than" // before now less an age, see [ParseAge]
	NewerThan Op = "newer_than" // after now less an age
	InCIDR    Op = "in_cidr"    // an address in a network or one of a list of them, see [ParseNetwork]
)

// TakesIgnoreCase reports whether the operator compares texts, so that a condition may
// ignore letter case.
func (op Op) TakesIgnoreCase() bool {
	switch op {
	case Eq, Neq, In, NotIn, Contains, Prefix, Suffix:
		return true
	}
	return false
}

// Rollout shows a popup to a sticky share of users. Another salt draws another share.
type Rollout struct {
	Percent float64 `json:"percent"` // 0 to 100, in steps of 0.01
	Salt    string  `json:"salt"`    // empty: the popup's key
}

// Frequency says when a popup may come back to a user. Waits are seconds: 0 is
// at once, -1 ([Forever]) is never again.
type Frequency struct {
	AfterClickSec      int64  `json:"after_click_sec"` // convert waits like a click
	AfterDismissSec    int64  `json:"after_dismiss_sec"`
	AfterImpressionSec int64  `json:"after_impression_sec"` // shown and not acted on
	MaxImpressions     uint32 `json:"max_impressions"`      // per user; 0 is no limit
	IgnoreMinGap       bool   `json:"ignore_min_gap"`       // may follow another popup at once
	ConfirmSec         int64  `json:"confirm_sec"`          // how long the page has to confirm that it was seen; 0: serving is showing
}

// GoalSpec says what a user is to do on the site after the popup. It counts as a
// conversion, for those to whom nothing was shown (controls) too.
type GoalSpec struct {
	Event     string `json:"event"`      // name, see [ValidEventName]; empty: no goal
	WindowSec int64  `json:"window_sec"` // how long after an exposure it counts
}

// SiteEvent is something that a user did on the site.
type SiteEvent struct {
	User []byte // see [ValidUserID]
	Name []byte // see [ValidEventName]
}

// Forever is the wait that never ends.
const Forever = -1

// Never is the time at which a wait of [Forever] ends: 9999-12-31T23:59:59Z, so
// that it prints as a date everywhere and sums with it do not overflow.
const Never int64 = 253402300799000

// Until returns when a wait of sec seconds that starts at nowMS ends, at most [Never].
func Until(nowMS, sec int64) int64 {
	if sec == Forever || sec > (Never-nowMS)/1000 {
		return Never
	}
	return nowMS + sec*1000
}

// HoldoutVariant is the variant in which users of a holdout, who are shown nothing, are
// counted. No new popup may have one of this key.
const HoldoutVariant = "holdout"

// Variant is one of the faces of a popup; a user sees always the same one. A
// control variant is counted and never shown.
type Variant struct {
	Key     string         `json:"key"` // [a-z0-9][a-z0-9-]{0,31}
	Weight  uint32         `json:"weight"`
	Control bool           `json:"control"`
	Content map[string]any `json:"content"` // any JSON object

	// Translations by their tags, such as zh-Hans: what of the content is another in that
	// language. Each is laid over Content, whose members it replaces as a whole.
	Translations map[string]map[string]any `json:"translations"`
}

// Row is a popup as the store keeps it: its spec is still JSON and may be broken.
type Row struct {
	ID          uint32
	Version     uint32
	UpdatedAtMS int64
	Key         string
	Spec        []byte
	Archived    bool // all that counts of it is that its id has been given
}
