package popup

import (
	"encoding/json"
	"fmt"
	"math"
)

// validate checks the targeting whose JSON pointer is at.
func (t *Targeting) validate(errs *FieldErrors, at string) {
	if n := len(t.All) + len(t.Any) + len(t.None); n > MaxConditions {
		errs.add(at, fmt.Sprintf("has %d conditions, at most %d are allowed", n, MaxConditions))
		return
	}
	t.each(at, func(c *Condition, at string) { c.validate(errs, at) })
}

// validateChange checks the rules that came after conditions had been stored without them.
func (t *Targeting) validateChange(errs *FieldErrors, at string) {
	t.each(at, func(c *Condition, at string) {
		if c.Attr == AudienceAttr {
			c.validateAudience(errs, at)
		}
	})
}

func (t *Targeting) validateAll(errs *FieldErrors, at string) {
	t.validate(errs, at)
	t.validateChange(errs, at)
}

// each calls f for all conditions, with their JSON pointers if at is that of the targeting.
func (t *Targeting) each(at string, f func(c *Condition, at string)) {
	for _, group := range []struct {
		at         string
		conditions []Condition
	}{{at + "/all", t.All}, {at + "/any", t.Any}, {at + "/none", t.None}} {
		for i := range group.conditions {
			f(&group.conditions[i], index(group.at, i))
		}
	}
}

func (c *Condition) validate(errs *FieldErrors, at string) {
	if c.Attr == "" {
		errs.add(at+"/attr", "must not be empty")
	}
	validateText(errs, at+"/attr", c.Attr, MaxAttrName)
	op, ignoreCase := at+"/op", at+"/ignore_case"
	at += "/value"
	detail := ""
	switch c.Op {
	case Eq, Neq:
		detail = scalarDetail(c.Value)
	case In, NotIn:
		validateValues(errs, at, c.Value)
	case Gt, Gte, Lt, Lte:
		detail = numberDetail(c.Value)
	case Contains, Prefix, Suffix:
		if detail = scalarDetail(c.Value); !isString(c.Value) {
			detail = "must be a string"
		}
	case Exists, NotExists:
		if c.Value != nil {
			detail = fmt.Sprintf("must be absent with %s", c.Op)
		}
	case SemverEq, SemverGt, SemverGte, SemverLt, SemverLte:
		detail = versionDetail(c.Value)
	case Matches:
		detail = patternDetail(c.Value)
	case Before, After:
		detail = timeDetail(c.Value)
	case OlderThan, NewerThan:
		detail = ageDetail(c.Value)
	case InCIDR:
		validateNetworks(errs, at, c.Value)
	default:
		errs.add(op, "must be eq, neq, in, not_in, gt, gte, lt, lte, contains, prefix, suffix, exists, not_exists, "+
			"semver_eq, semver_gt, semver_gte, semver_lt, semver_lte, matches, before, after, older_than, newer_than or in_cidr")
		return
	}
	if c.IgnoreCase && !c.Op.TakesIgnoreCase() {
		errs.add(ignoreCase, fmt.Sprintf("does not go with %s: only with eq, neq, in, not_in, contains, prefix and suffix", c.Op))
	}
	if detail != "" {
		errs.add(at, detail)
	}
}

func isString(value any) bool {
	_, ok := value.(string)
	return ok
}

// numberDetail returns what is wrong with a value that is to be a number.
func numberDetail(value any) string {
	if f, ok := Number(value); !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return "must be a number"
	}
	return ""
}

// versionDetail returns what is wrong with a value that is to be a version.
func versionDetail(value any) string {
	s, ok := value.(string)
	if _, valid := ParseVersion([]byte(s)); !ok || !valid {
		return `must be a version as in "3.2.1", a string`
	}
	return ""
}

// patternDetail returns what is wrong with a value that is to be a regular expression.
func patternDetail(value any) string {
	s, ok := value.(string)
	if !ok {
		return "must be a string"
	}
	if _, err := CompilePattern(s); err != nil {
		return err.Error()
	}
	return ""
}

// timeDetail returns what is wrong with a value that is to be a time.
func timeDetail(value any) string {
	s, ok := value.(string)
	if _, valid := ParseTime([]byte(s)); !ok || !valid {
		return `must be a time as in "2026-01-31T09:00:00Z" (RFC 3339) or a date as in "2026-01-31", a string`
	}
	return ""
}

// ageDetail returns what is wrong with a value that is to be an age.
func ageDetail(value any) string {
	s, ok := value.(string)
	if _, valid := ParseAge(s); !ok || !valid {
		return `must be an age as in "7d" or "36h", a whole number of s, m (minutes), h, d or w, at most 100 years`
	}
	return ""
}

// validateNetworks checks the value of in_cidr, a network or a list of them.
func validateNetworks(errs *FieldErrors, at string, value any) {
	values, isList := value.([]any)
	if !isList {
		if detail := networkDetail(value); detail != "" {
			errs.add(at, detail)
		}
		return
	}
	if len(values) < 1 || len(values) > MaxValues {
		errs.add(at, fmt.Sprintf("must be a network or a list of 1 to %d", MaxValues))
		return
	}
	for i, v := range values {
		if detail := networkDetail(v); detail != "" {
			errs.add(index(at, i), detail)
		}
	}
}

// networkDetail returns what is wrong with a value that is to be a network.
func networkDetail(value any) string {
	s, ok := value.(string)
	if _, valid := ParseNetwork(s); !ok || !valid {
		return `must be a network or an address as in "10.0.0.0/8" or "2001:db8::1", a string`
	}
	return ""
}

func validateValues(errs *FieldErrors, at string, value any) {
	values, ok := value.([]any)
	if !ok || len(values) < 1 || len(values) > MaxValues {
		errs.add(at, fmt.Sprintf("must be a list of 1 to %d strings, numbers or bools", MaxValues))
		return
	}
	for i, v := range values {
		if detail := scalarDetail(v); detail != "" {
			errs.add(index(at, i), detail)
		}
	}
}

// scalarDetail returns what is wrong with a value that an attribute is compared
// with. An empty attribute is a missing one, so nothing equals an empty string.
func scalarDetail(v any) string {
	if s, ok := v.(string); ok {
		switch {
		case s == "":
			return "must not be empty: use exists or not_exists"
		case len(s) > MaxValue || !isText(s):
			return fmt.Sprintf("must have at most %d bytes, none of them control characters", MaxValue)
		}
		return ""
	}
	if _, ok := v.(bool); ok {
		return ""
	}
	if f, ok := Number(v); ok && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return ""
	}
	return "must be a string, a number, true or false"
}

// Number returns a condition's value as a number. [Decode] makes every number a
// float64; specs written in Go may hold an int or a [json.Number] too.
func Number(v any) (f float64, ok bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}
