package popup

import (
	"fmt"
	"slices"
)

// AudienceAttr is the attribute whose values are the keys of the audiences that a user is in.
// It takes [In] and [NotIn] only.
const AudienceAttr = "audience"

// Audience is a named set of users: those who fit a rule, or a list of user ids.
type Audience struct {
	Key  string     // see ValidAudienceKey
	Rule *Targeting // nil: a list
}

// AudienceRow is an audience as a store has it: its rule is still JSON and may be broken.
type AudienceRow struct {
	ID, Version uint32
	Key         string
	Rule        []byte // JSON of a Targeting; nil: a list
	List        uint64 // number of the compiled list in the store, another one with each upload; 0: a rule
	Members     uint64 // of a list
	UpdatedAtMS int64
	Actor       string
}

// ValidAudienceKey reports whether an audience may have this key.
func ValidAudienceKey(key string) bool { return isName(key, MaxAudienceKey, "-") }

const audienceKeyDetail = "must be the key of an audience, 1 to 64 of a-z, 0-9 and -, the first not -"

// DecodeAudienceRule reads the rule of an audience from JSON, as [Decode] reads the targeting
// of a popup. Pointers of errors start at the rule.
func DecodeAudienceRule(data []byte) (Targeting, error) {
	var d decoder
	return decodeAs(&d, data, d.targeting, func(t *Targeting, errs *FieldErrors) { t.validateAll(errs, "") })
}

// DecodeAudience reads the document {"rule":{…}}, in which a rule is sent, as
// [DecodeAudienceRule] reads the rule.
func DecodeAudience(data []byte) (Targeting, error) {
	var d decoder
	return decodeAs(&d, data, d.audience, func(t *Targeting, errs *FieldErrors) { t.validateAll(errs, "/rule") })
}

// DecodeStoredAudienceRule is [DecodeAudienceRule] for what a store holds, as [DecodeStored]
// is [Decode].
func DecodeStoredAudienceRule(data []byte) (t Targeting, ignored []string, err error) {
	d := decoder{isStored: true}
	t, err = decodeAs(&d, data, d.targeting, func(t *Targeting, errs *FieldErrors) { t.validate(errs, "") })
	return t, d.ignored, err
}

func (d *decoder) audience(tree any) Targeting {
	t := d.targeting(object{})
	o := d.object(tree, "key", "kind", "version", "updated_at", "updated_by", "rule", "members", "used_by", "upload", "ids", "duplicates")
	d.require(o, "rule")
	member(d, o, "rule", &t, d.targeting)
	return t
}

// Encode returns the targeting as canonical JSON, the form in which the rule of an audience is
// stored.
func (t Targeting) Encode() []byte {
	b, err := appendJSON(nil, t.canonical())
	if err != nil {
		panic("popup: encode invalid targeting: " + err.Error())
	}
	return b
}

// AudienceRef is an audience that a condition names.
type AudienceRef struct {
	Pointer string // JSON pointer to the key
	Key     string
}

// Audiences returns the audiences that the targeting names, one for each time. Pointers start
// with at, which is that of the targeting.
func (t *Targeting) Audiences(at string) (refs []AudienceRef) {
	t.each(at, func(c *Condition, at string) {
		if c.Attr != AudienceAttr {
			return
		}
		keys, _ := c.Value.([]any)
		for i, k := range keys {
			if key, ok := k.(string); ok {
				refs = append(refs, AudienceRef{Pointer: index(at+"/value", i), Key: key})
			}
		}
	})
	return refs
}

// Audiences returns the audiences that the popup's targeting names, one for each time.
func (s *Spec) Audiences() []AudienceRef { return s.Targeting.Audiences("/targeting") }

// validateAudience checks a condition on [AudienceAttr].
func (c *Condition) validateAudience(errs *FieldErrors, at string) {
	if c.Op != In && c.Op != NotIn {
		errs.add(at+"/op", "must be in or not_in with the attribute audience")
		return
	}
	if c.IgnoreCase {
		errs.add(at+"/ignore_case", "does not go with the attribute audience")
	}
	keys, ok := c.Value.([]any)
	if !ok || len(keys) < 1 || len(keys) > MaxValues {
		errs.add(at+"/value", fmt.Sprintf("must be a list of 1 to %d keys of audiences", MaxValues))
		return
	}
	for i, k := range keys {
		if key, _ := k.(string); !ValidAudienceKey(key) {
			errs.add(index(at+"/value", i), audienceKeyDetail)
		}
	}
}

// OrderAudiences sorts the keys of rules so that each comes after those that it names. Names
// returns the keys that a rule names, of which those that are no keys of rules do not count.
// If rules name each other in a circle, cycle is one: each names the next, and the last names
// the first. Order then lacks the rules of circles and those that name them.
func OrderAudiences(keys []string, names func(key string) []string) (order, cycle []string) {
	const (
		entered = iota + 1
		done
		stuck // in a circle, or names one that is
	)
	state := make(map[string]int, len(keys))
	for _, key := range keys {
		state[key] = 0
	}
	var path []string // of rules that were entered, each named by the one before
	var visit func(key string) (ok bool)
	visit = func(key string) (ok bool) {
		switch s, isRule := state[key]; {
		case !isRule || s == done:
			return true
		case s == stuck:
			return false
		case s == entered:
			if cycle == nil {
				cycle = slices.Clone(path[slices.Index(path, key):])
			}
			return false
		}
		state[key], path, ok = entered, append(path, key), true
		for _, named := range names(key) {
			ok = visit(named) && ok
		}
		path = path[:len(path)-1]
		if state[key] = stuck; ok {
			state[key], order = done, append(order, key)
		}
		return ok
	}
	for _, key := range keys {
		visit(key)
	}
	return order, cycle
}
