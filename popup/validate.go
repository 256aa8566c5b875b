package popup

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Validate checks every rule for a spec and returns [FieldErrors], or nil if
// the spec is fit to be stored and compiled.
func (s *Spec) Validate() error {
	var errs FieldErrors
	s.validateAll(&errs)
	return errs.err()
}

func (s *Spec) validateAll(errs *FieldErrors) {
	s.validate(errs)
	s.validateChange(errs)
}

// ValidateStored is [Spec.Validate] without the rules that only changes are held to,
// as [DecodeStored] reads a spec.
func (s *Spec) ValidateStored() error {
	var errs FieldErrors
	s.validate(&errs)
	return errs.err()
}

// validateChange checks the rules that came after popups had been stored without
// them: such a popup goes on running, and is held to them when it is changed.
func (s *Spec) validateChange(errs *FieldErrors) {
	if _, err := LoadZone(s.Schedule.Timezone); err != nil {
		errs.add("/schedule/timezone", badZone)
	}
	s.Targeting.validateChange(errs, "/targeting")
	for i := range s.Variants {
		s.Variants[i].validateLinks(errs, index("/variants", i))
		if s.Variants[i].Key == HoldoutVariant {
			errs.add(index("/variants", i)+"/key", "is reserved for users who are shown nothing")
		}
	}
}

func (s *Spec) validate(errs *FieldErrors) {
	s.validateMembers(errs)
	if len(*errs) == 0 {
		if n := len(s.Encode()); n > MaxSpec {
			errs.add("", fmt.Sprintf("has %d bytes, at most %d are allowed", n, MaxSpec))
		}
	}
}

// validateMembers leaves out the size of the whole.
func (s *Spec) validateMembers(errs *FieldErrors) {
	if !isName(s.Key, 64, "-") {
		errs.add("/key", "must be 1 to 64 of a-z, 0-9 and -, the first not -")
	}
	validateText(errs, "/name", s.Name, MaxName)
	switch s.Status {
	case Draft, Active, Paused, Archived:
	default:
		errs.add("/status", "must be draft, active, paused or archived")
	}
	if s.Priority < -MaxPriority || s.Priority > MaxPriority {
		errs.add("/priority", fmt.Sprintf("must be %d to %d", -MaxPriority, MaxPriority))
	}
	s.validatePlacements(errs)
	if !ValidTrigger(s.Trigger) {
		errs.add("/trigger", "must be load, exit, scroll:PERCENT (1 to 100), delay:SECONDS (1 to 3600) or event:NAME (1 to 64 of a-z, 0-9, _, . and -)")
	}
	s.Schedule.validate(errs)
	s.Targeting.validate(errs, "/targeting")
	validateText(errs, "/rollout/salt", s.Rollout.Salt, MaxSalt)
	validatePercent(errs, "/rollout/percent", s.Rollout.Percent)
	s.Frequency.validate(errs)
	s.Goal.validate(errs)
	s.validateVariants(errs)
	validateTags(errs, "/tags", s.Tags)
}

func (s *Spec) validatePlacements(errs *FieldErrors) {
	if n := len(s.Placements); n < 1 || n > MaxPlacements {
		errs.add("/placements", fmt.Sprintf("must have 1 to %d elements", MaxPlacements))
		return
	}
	for i, p := range s.Placements {
		if !ValidPlacement(p) {
			errs.add(index("/placements", i), "must be 1 to 64 of a-z, 0-9, - and _, the first not - or _")
		}
	}
	validateUnique(errs, "/placements", s.Placements)
}

// ValidPlacement reports whether name may be that of a placement.
func ValidPlacement[T string | []byte](name T) bool { return isName(name, MaxPlacement, "-_") }

func validateTags(errs *FieldErrors, at string, tags []string) {
	if len(tags) > MaxTags {
		errs.add(at, fmt.Sprintf("must have at most %d elements", MaxTags))
		return
	}
	for i, tag := range tags {
		if tag == "" {
			errs.add(index(at, i), "must not be empty")
		}
		validateText(errs, index(at, i), tag, MaxTag)
	}
	validateUnique(errs, at, tags)
}

func validatePercent(errs *FieldErrors, at string, p float64) {
	if !(p >= 0 && p <= 100) || math.Round(p*100)/100 != p {
		errs.add(at, "must be 0 to 100 in steps of 0.01")
	}
}

func (s *Schedule) validate(errs *FieldErrors) {
	for _, end := range []struct {
		at string
		t  *time.Time
	}{{"/schedule/start_at", s.StartAt}, {"/schedule/end_at", s.EndAt}} {
		if end.t != nil && (end.t.UnixMilli() < 0 || end.t.UnixMilli() > Never) {
			errs.add(end.at, "must be in the years 1970 to 9999")
		}
	}
	if s.StartAt != nil && s.EndAt != nil && s.StartAt.UnixMilli() >= s.EndAt.UnixMilli() {
		errs.add("/schedule/end_at", "must be after start_at")
	}
	if _, err := s.Location(); err != nil {
		errs.add("/schedule/timezone", badZone)
	}
	s.validateDays(errs)
	s.validateHours(errs)
}

func (s *Schedule) validateDays(errs *FieldErrors) {
	if len(s.Days) > 7 {
		errs.add("/schedule/days", "must have at most 7 elements")
		return
	}
	for i, day := range s.Days {
		if _, ok := Weekday(day); !ok {
			errs.add(index("/schedule/days", i), "must be mon, tue, wed, thu, fri, sat or sun")
		}
	}
	validateUnique(errs, "/schedule/days", s.Days)
}

func (s *Schedule) validateHours(errs *FieldErrors) {
	if len(s.Hours) > MaxWindows {
		errs.add("/schedule/hours", fmt.Sprintf("must have at most %d elements", MaxWindows))
		return
	}
	for i, window := range s.Hours {
		at := index("/schedule/hours", i)
		from, ok := MinuteOfDay(window[0])
		if !ok || from == minutesPerDay {
			errs.add(at+"/0", `must be a time of day, "00:00" to "23:59"`)
		}
		to, ok := MinuteOfDay(window[1])
		if !ok {
			errs.add(at+"/1", `must be a time of day, "00:00" to "24:00"`)
		}
		if ok && from == to {
			errs.add(at+"/1", "must differ from the start")
		}
	}
}

const badZone = `must be a time zone as in "Europe/Berlin" (IANA) or "UTC"`

// Location returns the time zone of the schedule's days and hours. It knows more
// names than [LoadZone], which changes are held to: a stored popup may have one of them.
func (s *Schedule) Location() (*time.Location, error) {
	if s.Timezone == "" || s.Timezone == "Local" { // would depend on the server
		return nil, fmt.Errorf("time zone %q: not the name of a zone", s.Timezone)
	}
	return loadLocation(s.Timezone)
}

// Weekday returns the number of a day's short name: mon is 0, sun is 6.
func Weekday(name string) (day int, ok bool) {
	for i, known := range [...]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		if name == known {
			return i, true
		}
	}
	return 0, false
}

const minutesPerDay = 24 * 60

// MinuteOfDay reads "HH:MM", "00:00" to "24:00", as minutes since midnight.
func MinuteOfDay(s string) (minute int, ok bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range [...]int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	hours := int(s[0]-'0')*10 + int(s[1]-'0')
	minutes := int(s[3]-'0')*10 + int(s[4]-'0')
	minute = hours*60 + minutes
	return minute, minutes < 60 && minute <= minutesPerDay
}

func (f *Frequency) validate(errs *FieldErrors) {
	for _, wait := range []struct {
		at  string
		sec int64
	}{
		{"/frequency/after_click_sec", f.AfterClickSec},
		{"/frequency/after_dismiss_sec", f.AfterDismissSec},
		{"/frequency/after_impression_sec", f.AfterImpressionSec},
	} {
		if wait.sec < Forever || wait.sec > MaxWait {
			errs.add(wait.at, fmt.Sprintf("must be 0 to %d seconds, or -1 for never again", MaxWait))
		}
	}
	if f.MaxImpressions > MaxMaxImpressions {
		errs.add("/frequency/max_impressions", fmt.Sprintf("must be 0 to %d", MaxMaxImpressions))
	}
	if f.ConfirmSec < 0 || f.ConfirmSec > MaxConfirm {
		errs.add("/frequency/confirm_sec", fmt.Sprintf("must be 0 to %d seconds", MaxConfirm))
	}
}

func (g *GoalSpec) validate(errs *FieldErrors) {
	if g.Event != "" && !ValidEventName(g.Event) {
		errs.add("/goal/event", fmt.Sprintf("must be empty or 1 to %d of a-z, 0-9, '_', '.' and -, the first a letter or a digit", MaxEventName))
	}
	if g.WindowSec < 1 || g.WindowSec > MaxGoalWindow {
		errs.add("/goal/window_sec", fmt.Sprintf("must be 1 to %d seconds", MaxGoalWindow))
	}
}

func (s *Spec) validateVariants(errs *FieldErrors) {
	if n := len(s.Variants); n < 1 || n > MaxVariants {
		errs.add("/variants", fmt.Sprintf("must have 1 to %d elements", MaxVariants))
		return
	}
	total, rendered := uint64(0), 0
	keys := make([]string, len(s.Variants))
	var most [1 << 10]byte // of most contents, on the stack
	content := most[:0]
	for i := range s.Variants {
		v, at := &s.Variants[i], index("/variants", i)
		keys[i] = v.Key
		if !isName(v.Key, MaxVariantKey, "-") {
			errs.add(at+"/key", fmt.Sprintf("must be 1 to %d of a-z, 0-9 and -, the first not -", MaxVariantKey))
		} else if slices.Contains(keys[:i], v.Key) {
			errs.add(at+"/key", "occurs twice")
		}
		if v.Weight > MaxWeight {
			errs.add(at+"/weight", fmt.Sprintf("must be 0 to %d", MaxWeight))
		}
		total += uint64(v.Weight)
		var err error
		content, err = v.AppendContent(content[:0])
		validateContent(errs, at+"/content", content, err)
		rendered += len(content) + v.validateTranslations(errs, at+"/translations")
	}
	if total == 0 {
		errs.add("/variants", "must have a weight above 0")
	}
	if rendered > MaxRendered {
		errs.add("/variants", fmt.Sprintf("have %d bytes with each translation laid over its content, at most %d are allowed", rendered, MaxRendered))
	}
}

// validateContent wants content that could be encoded and is not too long.
func validateContent(errs *FieldErrors, at string, encoded []byte, err error) {
	switch {
	case err != nil:
		errs.add(at, "must be JSON")
	case len(encoded) > MaxContent:
		errs.add(at, fmt.Sprintf("has %d bytes, at most %d are allowed", len(encoded), MaxContent))
	}
}

// validateTranslations returns how many bytes the translations have, each laid over the content.
func (v *Variant) validateTranslations(errs *FieldErrors, at string) (rendered int) {
	if n := len(v.Translations); n > MaxTranslations {
		errs.add(at, fmt.Sprintf("must have at most %d members", MaxTranslations))
		return 0
	}
	tags := make(map[Locale]string, len(v.Translations))
	for _, tag := range slices.Sorted(maps.Keys(v.Translations)) {
		at := at + "/" + escapePointer(tag)
		_, locale, wrong := parseTag(tag)
		switch same, twice := tags[locale]; {
		case wrong != "":
			errs.add(at, wrong)
		case twice:
			errs.add(at, "means the same as "+same)
		default:
			tags[locale] = tag
		}
		content, err := v.AppendTranslation(nil, tag)
		validateContent(errs, at, content, err)
		rendered += len(content)
	}
	return rendered
}

// isName reports whether s is 1 to most of a-z, 0-9 and others, and starts with a
// letter or a digit.
func isName[T string | []byte](s T, most int, others string) bool {
	if len(s) == 0 || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case i > 0 && strings.IndexByte(others, c) >= 0:
		default:
			return false
		}
	}
	return true
}

// validateText wants at most so many bytes of UTF-8 without control characters.
func validateText(errs *FieldErrors, at, s string, most int) {
	if len(s) > most {
		errs.add(at, fmt.Sprintf("must have at most %d bytes", most))
	}
	if !isText(s) {
		errs.add(at, "must not have control characters")
	}
}

func isText(s string) bool {
	control := func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }
	return utf8.ValidString(s) && strings.IndexFunc(s, control) < 0
}

func validateUnique(errs *FieldErrors, at string, values []string) {
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			errs.add(index(at, i), "occurs twice")
		}
	}
}

// index returns the pointer of an array's element.
func index(at string, i int) string { return at + "/" + strconv.Itoa(i) }
