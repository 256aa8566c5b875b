package popup

// Warning is something in a valid [Spec] or [Settings] that has no effect, or most
// likely not the intended one.
type Warning struct {
	Pointer string      `json:"pointer"` // JSON pointer (RFC 6901)
	Code    WarningCode `json:"code"`
	Detail  string      `json:"detail"` // for people
	Proved  bool        `json:"proved"` // it can be no other way; else it is probable
}

// WarningCode names a kind of warning. Codes are never renamed.
type WarningCode string

// What is proved.
const (
	NeverHolds        WarningCode = "never_holds"         // the condition holds for no value, nor without one
	NeverFails        WarningCode = "never_fails"         // the condition holds for every value, and without one
	Contradiction     WarningCode = "contradiction"       // the condition and others of all and none cannot go together
	AnyNeverHolds     WarningCode = "any_never_holds"     // every condition of any contradicts those of all and none
	AnyNeverFails     WarningCode = "any_never_fails"     // whoever fits all and none fits any
	TooManyAttributes WarningCode = "too_many_attributes" // more attributes are needed than a poll may have
	UserTimeUnused    WarningCode = "user_time_unused"    // there are no days and hours that it could shift
	NeverOpen         WarningCode = "never_open"          // no open minute is left
	AlreadyEnded      WarningCode = "ended"               // end_at is over
	NobodyInRollout   WarningCode = "empty_rollout"       // of 0 percent
	OnlyControls      WarningCode = "only_controls"       // no variant that users get is shown
	UnknownTag        WarningCode = "unknown_tag"         // no popup has the tag of a cap
	RedundantCap      WarningCode = "redundant_cap"       // another cap stops whatever this one would
	AllHeldOut        WarningCode = "all_held_out"        // a holdout of 100 percent
)

// What is probable.
const (
	AlwaysOutranked WarningCode = "outranked"
	NeedsSet        WarningCode = "needs_set"      // no one value meets the conditions, only several of one attribute do
	AttributeName   WarningCode = "attribute_name" // reads another attribute than the name suggests
	ValueSpaces     WarningCode = "value_spaces"
	CountryFormat   WarningCode = "country_format"
	LocaleFormat    WarningCode = "locale_format"
	PlatformFormat  WarningCode = "platform_format"
	PathFormat      WarningCode = "path_format"
	AddressFormat   WarningCode = "address_format"
	BooleanFormat   WarningCode = "boolean_format"
	VersionFormat   WarningCode = "version_format"
	VersionAsNumber WarningCode = "version_as_number"
	LinkFormat      WarningCode = "link_format"

	UnusableAudience WarningCode = "unusable_audience" // it is not there, or not loaded
	EmptyAudience    WarningCode = "empty_audience"    // nobody is in it
)

// WarningCodes are all there are.
var WarningCodes = []WarningCode{
	NeverHolds, NeverFails, Contradiction, AnyNeverHolds, AnyNeverFails, TooManyAttributes, UserTimeUnused, NeverOpen, AlreadyEnded, NobodyInRollout, OnlyControls,
	UnknownTag, RedundantCap, AllHeldOut,
	AlwaysOutranked, NeedsSet, AttributeName, ValueSpaces, CountryFormat, LocaleFormat, PlatformFormat, PathFormat, AddressFormat, BooleanFormat, VersionFormat, VersionAsNumber, LinkFormat,
	UnusableAudience, EmptyAudience,
}
