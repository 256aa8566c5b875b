package popup

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The kinds of an [Audience].
const (
	AudienceRule = "rule"
	AudienceList = "list"
)

// StoredAudience is an audience and what the store added.
type StoredAudience struct {
	Key       string     `json:"key"`
	Kind      string     `json:"kind"`
	Version   uint32     `json:"version"`    // one more with every change, never given out again for the key
	UpdatedAt time.Time  `json:"updated_at"` // UTC
	UpdatedBy string     `json:"updated_by"`
	Rule      *Targeting `json:"rule,omitempty"` // nil of a list
	Members   uint64     `json:"members"`        // of a list

	UsedBy AudienceUse `json:"used_by"`
}

// AudienceUse names, by key, what names an audience.
type AudienceUse struct {
	Popups    []string `json:"popups"`    // those that are not archived
	Audiences []string `json:"audiences"` // rules
}

// BrokenLine is a line of an uploaded list that holds no user id.
type BrokenLine struct {
	Line   int    `json:"line"` // the first is 1
	Detail string `json:"detail"`
}

// AudienceChange says who changes an audience and what they expect of it.
type AudienceChange struct {
	Change
	Key     string
	New     bool   // there must be none
	Version uint32 // that it must have, unless it must be new; 0: any

	// Live allows to change what users see: an audience on which a popup depends that is or
	// was active.
	Live bool
}

// What a change of an audience can run into, besides [ErrNotFound], [ErrExists],
// [ErrStale], [AudienceInUseError] and [FieldErrors].
var (
	ErrAudienceLive     = errors.New("a popup that is no draft depends on the audience")
	ErrTooManyAudiences = fmt.Errorf("there are %d audiences", MaxAudiences)
)

// AudienceInUseError means that an audience can't be deleted.
type AudienceInUseError struct{ By AudienceUse }

func (e *AudienceInUseError) Error() string {
	return "the audience is in use by popups [" + strings.Join(e.By.Popups, " ") + "], audiences [" + strings.Join(e.By.Audiences, " ") + "]"
}
