package popup

import (
	"encoding/json"
	"fmt"
	"math"
)

func (t *Targeting) validate(errs *FieldErrors) {
	if n := len(t.All) + len(t.Any) + len(t.None); n > MaxConditions {
		errs.add("/targeting", fmt.Sprintf("has %d conditions, at most %d are allowed", n, MaxConditions))
		return
	}
	for _, group := range []struct {
		at         string
		conditions []Condition
	}{{"/targeting/all", t.All}, {"/targeting/any", t.Any}, {"/targeting/none", t.None}} {
		for i := range group.conditions {
			group.conditions[i].validate(errs, index(group.at, i))
		}
	}
}

func (c *Condition) validate(errs *FieldErrors, at string) {
	if c.Attr == "" {
		errs.add(at+"/attr", "must not be empty")
	}
	validateText(errs, at+"/attr", c.Attr, MaxAttrName)
	op := at + "/op"
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
	case SemverGte, SemverLt:
		detail = versionDetail(c.Value)
	default:
		errs.add(op, "must be eq, neq, in, not_in, gt, gte, lt, lte, contains, prefix, suffix, "+
			"exists, not_exists, semver_gte or semver_lt")
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
