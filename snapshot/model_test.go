package snapshot

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// modelHolds says what a condition means, once more and by other means than the compiled
// one: it is the specification of the operators.
func modelHolds(c *popup.Condition, r *popup.Request, nowMS int64) bool {
	op, negate := c.Op, false
	switch c.Op {
	case popup.Neq:
		op, negate = popup.Eq, true
	case popup.NotIn:
		op, negate = popup.In, true
	case popup.NotExists:
		op, negate = popup.Exists, true
	}
	return slices.ContainsFunc(modelValues(c.Attr, r), func(value string) bool { return modelPasses(c, op, value, nowMS) }) != negate
}

// modelValues returns the values of an attribute that are not empty.
func modelValues(attr string, r *popup.Request) (values []string) {
	builtin := map[string][]byte{"uid": r.User, "platform": r.Platform, "app_version": r.AppVersion, "locale": r.Locale, "country": r.Country, "path": r.Path, "ip": r.IP}
	if attr == popup.AudienceAttr {
		return nil // see modelAudiences
	}
	if value, ok := builtin[attr]; ok {
		values = []string{string(value)}
		if attr == "app_version" && !modelVersion.MatchString(values[0]) {
			return nil // what is no version counts as missing
		}
	} else {
		for _, a := range r.Attrs {
			if string(a.Name) == attr {
				values = append(values, string(a.Value))
			}
		}
	}
	return slices.DeleteFunc(values, func(v string) bool { return v == "" })
}

var modelVersion = regexp.MustCompile(`^[vV]?\d{1,18}(\.\d{1,18}){0,3}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?([+ ][0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

var numeral = regexp.MustCompile(`^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?$`)

// modelPasses reports whether one value passes an operator without its negation.
func modelPasses(c *popup.Condition, op popup.Op, value string, nowMS int64) bool {
	switch op {
	case popup.Exists:
		return true
	case popup.Eq:
		return modelEquals(c.Value, value, c.IgnoreCase)
	case popup.In:
		return slices.ContainsFunc(c.Value.([]any), func(v any) bool { return modelEquals(v, value, c.IgnoreCase) })
	case popup.Gt, popup.Gte, popup.Lt, popup.Lte:
		n, limit := 0.0, c.Value.(float64)
		if !numeral.MatchString(value) {
			return false
		}
		n, _ = strconv.ParseFloat(value, 64)
		return map[popup.Op]bool{popup.Gt: n > limit, popup.Gte: n >= limit, popup.Lt: n < limit, popup.Lte: n <= limit}[op]
	case popup.Contains, popup.Prefix, popup.Suffix:
		return modelFinds(op, value, c.Value.(string), c.IgnoreCase)
	case popup.Matches:
		return len(value) <= 1024 && regexp.MustCompile(c.Value.(string)).MatchString(value)
	case popup.Before, popup.After, popup.OlderThan, popup.NewerThan:
		at, ok := modelTime(value)
		if !ok {
			return false
		}
		limit, ok := modelTime(c.Value.(string))
		if !ok {
			limit = time.UnixMilli(nowMS).Add(-modelAge(c.Value.(string)))
		}
		if op == popup.Before || op == popup.OlderThan {
			return at.Before(limit)
		}
		return at.After(limit)
	case popup.InCIDR:
		list, isList := c.Value.([]any)
		if !isList {
			list = []any{c.Value}
		}
		return slices.ContainsFunc(list, func(network any) bool { return modelWithin(value, network.(string)) })
	}
	version, isVersion := popup.ParseVersion([]byte(value))
	other, _ := popup.ParseVersion([]byte(c.Value.(string)))
	order := version.Compare(&other)
	return isVersion && map[popup.Op]bool{popup.SemverEq: order == 0, popup.SemverGt: order > 0, popup.SemverGte: order >= 0, popup.SemverLt: order < 0, popup.SemverLte: order <= 0}[op]
}

func modelEquals(want any, value string, ignoreCase bool) bool {
	if f, ok := want.(float64); ok {
		n, err := strconv.ParseFloat(value, 64)
		return err == nil && numeral.MatchString(value) && n == f
	}
	return value == fmt.Sprint(want) || ignoreCase && strings.EqualFold(value, fmt.Sprint(want))
}

// modelFinds looks at every run of characters of the value that is as long as the text.
func modelFinds(op popup.Op, value, text string, ignoreCase bool) bool {
	in, want := []rune(value), []rune(text)
	for i := 0; i+len(want) <= len(in); i++ {
		if op == popup.Prefix && i > 0 || op == popup.Suffix && i+len(want) < len(in) {
			continue
		}
		part := string(in[i : i+len(want)])
		if part == text || ignoreCase && strings.EqualFold(part, text) {
			return true
		}
	}
	return false
}

func modelTime(text string) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	return at.Truncate(time.Millisecond), err == nil
}

func modelAge(text string) time.Duration {
	n, _ := strconv.Atoi(text[:len(text)-1])
	return time.Duration(n) * map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 168 * time.Hour}[text[len(text)-1:]]
}

// modelWithin is of package net, where the rest is of net/netip.
func modelWithin(address, network string) bool {
	ip := net.ParseIP(address)
	if ip == nil {
		return false
	}
	_, in, err := net.ParseCIDR(network)
	if err != nil {
		return ip.Equal(net.ParseIP(network))
	}
	if is4 := ip.To4() != nil; is4 != (in.IP.To4() != nil) {
		return false
	}
	return in.Contains(ip)
}
