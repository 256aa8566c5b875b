package popup

import (
	"fmt"
	"slices"
	"time"
)

// Settings are what an operator configures for all popups together. The zero value
// is the default. [DecodeSettings] fills in what is absent, [Settings.Validate] names
// every field that is wrong.
type Settings struct {
	MinGapSec int64   `json:"min_gap_sec"` // least time between any two popups of one user
	Caps      []Cap   `json:"caps"`
	Holdout   Holdout `json:"holdout"`
}

// Cap limits how many impressions one user gets within any time of PerSec seconds.
type Cap struct {
	Key    string   `json:"key"` // [a-z0-9][a-z0-9-]{0,63}
	Max    uint32   `json:"max"`
	PerSec int64    `json:"per_sec"`
	Tags   []string `json:"tags"` // it counts and stops popups with any of these; empty: all popups
}

// Covers reports whether the cap counts and stops popups with these tags.
func (c *Cap) Covers(tags []string) bool {
	return len(c.Tags) == 0 || slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(c.Tags, tag) })
}

// CapSet is a set of the caps of settings: bit i is Caps[i].
type CapSet uint16

const _ = CapSet(1 << (MaxCaps - 1))

// Covering returns the caps that cover popups with these tags.
func (s *Settings) Covering(tags []string) (of CapSet) {
	for i := range s.Caps {
		if s.Caps[i].Covers(tags) {
			of |= 1 << i
		}
	}
	return of
}

// Holdout is the sticky share of users who see no popup at all.
type Holdout struct {
	Percent float64 `json:"percent"` // 0 to 100, in steps of 0.01
	Salt    string  `json:"salt"`
}

// StoredSettings are settings and what the store added.
type StoredSettings struct {
	Version   uint32     `json:"version"`    // one more with every change; 0: never changed, so all are defaults
	UpdatedAt *time.Time `json:"updated_at"` // UTC, of the last change; nil: never
	Settings
}

// SettingsRow is the settings as the store keeps them: the spec is still JSON and may
// be broken. The zero value is the defaults.
type SettingsRow struct {
	Version     uint32 // 0: never changed
	UpdatedAtMS int64
	Spec        []byte
}

// Position names one state of the catalog: a restored store gives out a revision again, but
// with another nonce.
type Position struct {
	Revision int64
	Nonce    int64 // drawn at random with the revision; 0: the store has none of it
}

// Catalog is all that is configured, as the store keeps it at one revision.
type Catalog struct {
	Revision int64
	Nonce    int64 // see Position
	Popups   []Row
	Settings SettingsRow

	Audiences   []AudienceRow
	AudienceKey [16]byte // of the fingerprints of user ids in lists; one of each deployment, that the store draws once
}

// CatalogChange is what a revision has other than an earlier one.
type CatalogChange struct {
	Revision int64
	Nonce    int64        // see Position
	Popups   []Row        // the changed rows, one of each popup, those of archived ones too
	Settings *SettingsRow // nil: unchanged

	Audiences *[]AudienceRow // nil: none changed; else all of them
}

// DecodeSettings reads settings from JSON, as [Decode] reads a spec.
func DecodeSettings(data []byte) (Settings, error) {
	var d decoder
	return decodeAs(&d, data, d.settings, (*Settings).validate)
}

// DecodeStoredSettings is [DecodeSettings] for what a store holds: members that are not
// known are ignored, and their JSON pointers returned.
func DecodeStoredSettings(data []byte) (s Settings, ignored []string, err error) {
	d := decoder{isStored: true}
	s, err = decodeAs(&d, data, d.settings, (*Settings).validate)
	return s, d.ignored, err
}

// Canonical returns the settings without a list that is nil, which JSON writes as null.
func (s Settings) Canonical() Settings {
	s.Caps = slices.Clone(notNil(s.Caps))
	for i := range s.Caps {
		s.Caps[i].Tags = notNil(s.Caps[i].Tags)
	}
	return s
}

// Encode returns the settings as canonical JSON, the form in which they are stored.
func (s Settings) Encode() []byte {
	b, err := appendJSON(nil, s.Canonical())
	if err != nil {
		panic("popup: encode invalid settings: " + err.Error())
	}
	return b
}

func (d *decoder) settings(tree any) Settings {
	s := Settings{Caps: []Cap{}}
	o := d.object(tree, "version", "updated_at", "warnings", "min_gap_sec", "caps", "holdout")
	member(d, o, "min_gap_sec", &s.MinGapSec, d.whole)
	member(d, o, "caps", &s.Caps, list(d, d.cap))
	member(d, o, "holdout", &s.Holdout, d.holdout)
	return s
}

func (d *decoder) cap(v any) Cap {
	c := Cap{Tags: []string{}}
	o := d.object(v, "key", "max", "per_sec", "tags")
	d.require(o, "key", "max", "per_sec")
	member(d, o, "key", &c.Key, d.text)
	member(d, o, "max", &c.Max, d.count)
	member(d, o, "per_sec", &c.PerSec, d.whole)
	member(d, o, "tags", &c.Tags, list(d, d.text))
	return c
}

func (d *decoder) holdout(v any) Holdout {
	var h Holdout
	o := d.object(v, "percent", "salt")
	member(d, o, "percent", &h.Percent, d.number)
	member(d, o, "salt", &h.Salt, d.text)
	return h
}

// Validate checks every limit and returns [FieldErrors], or nil if the settings are fit
// to be stored and put in force.
func (s *Settings) Validate() error {
	var errs FieldErrors
	s.validate(&errs)
	return errs.err()
}

func (s *Settings) validate(errs *FieldErrors) {
	if s.MinGapSec < 0 || s.MinGapSec > MaxWait {
		errs.add("/min_gap_sec", fmt.Sprintf("must be 0 to %d seconds", MaxWait))
	}
	if len(s.Caps) > MaxCaps {
		errs.add("/caps", fmt.Sprintf("must have at most %d elements", MaxCaps))
	} else {
		for i := range s.Caps {
			s.Caps[i].validate(errs, index("/caps", i))
			if slices.ContainsFunc(s.Caps[:i], func(c Cap) bool { return c.Key == s.Caps[i].Key }) {
				errs.add(index("/caps", i)+"/key", "occurs twice")
			}
		}
	}
	validatePercent(errs, "/holdout/percent", s.Holdout.Percent)
	validateText(errs, "/holdout/salt", s.Holdout.Salt, MaxSalt)
}

func (c *Cap) validate(errs *FieldErrors, at string) {
	if !isName(c.Key, MaxCapKey, "-") {
		errs.add(at+"/key", fmt.Sprintf("must be 1 to %d of a-z, 0-9 and -, the first not -", MaxCapKey))
	}
	if c.Max < 1 || c.Max > MaxCapImpressions {
		errs.add(at+"/max", fmt.Sprintf("must be 1 to %d", MaxCapImpressions))
	}
	if c.PerSec < 1 || c.PerSec > MaxCapSec {
		errs.add(at+"/per_sec", fmt.Sprintf("must be 1 to %d seconds", MaxCapSec))
	}
	validateTags(errs, at+"/tags", c.Tags)
}
