package popup

// Limits of a [Spec] and of [Settings]. Sizes are bytes unless a comment says otherwise.
const (
	MaxSpec = 512 << 10 // of the whole spec, encoded

	MaxName     = 200
	MaxPriority = 1_000_000 // and as much below 0

	MaxPlacements = 32 // of one popup
	MaxPlacement  = 64
	MaxTags       = 32
	MaxTag        = 64
	MaxWindows    = 32 // pairs of hours in a schedule

	MaxConditions = 64 // in all, any and none together
	MaxAttrName   = 64
	MaxValue      = 256  // a string that an attribute is compared with
	MaxValues     = 256  // values in the list of one in, not_in or in_cidr
	MaxPattern    = 256  // a regular expression
	MaxMatched    = 1024 // an attribute that a regular expression is tried on

	MaxAudiences   = 1000 // in the catalog
	MaxAudienceKey = 64

	MaxSalt = 64

	MaxWait           = 315_360_000 // seconds: ten years
	MaxMaxImpressions = 1<<16 - 1   // as far as a user's state counts
	MaxConfirm        = 86_400      // seconds: a day

	MaxEventName  = 64
	MaxGoalWindow = 7_776_000 // seconds: 90 days

	MaxCaps           = 16 // in the settings
	MaxCapKey         = 64
	MaxCapImpressions = 20        // as many as a user's state knows
	MaxCapSec         = 2_592_000 // seconds: 30 days

	MaxVariants = 8
	MaxWeight   = 1_000_000
	MaxContent  = 32 << 10 // of one variant, or of one of its translations laid over it, encoded
	MaxRendered = 1 << 20  // of all contents of a popup and all translations laid over them

	MaxTranslations = 64 // of one variant
	MaxDepth        = 32 // levels of arrays and objects in the whole document
)

// The greatest numbers of a trigger.
const (
	maxScroll = 100  // percent of the page
	maxDelay  = 3600 // seconds
)

// DefaultPlacement is where a popup is shown, and a request asks, if they do not say.
const DefaultPlacement = "default"
