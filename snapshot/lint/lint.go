// Package lint finds what in a valid popup has no effect: conditions that no request
// can meet, a schedule that is never open, a popup that others always outrank.
//
// A warning is proved or probable. What is proved follows from the rules of package
// snapshot and of polls alone: a search for values that finds none must have looked at
// all there are, so where it cannot, it stays silent. Proofs hold from now on, and for
// attributes that are sets. They rest on built-in attributes having one value in a
// request, and on attributes not depending on each other. What is probable rests on what
// values usually look like. Wherever it can, the package asks the evaluator of package
// snapshot itself. It changes nothing and refuses nothing, and serves no poll.
package lint

import (
	"maps"
	"slices"
	"strconv"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Check returns what is to be said of a valid popup at nowMS, among the other popups
// of a snapshot, as if it was active. id is the popup's own in the snapshot. The
// result is not nil.
func Check(s *popup.Spec, id uint32, others *snapshot.Snapshot, nowMS int64) []popup.Warning {
	w := warnings{list: []popup.Warning{}}
	if s.Status == popup.Archived {
		return w.list
	}
	t := newTargeting(&s.Targeting)
	w.checkSchedule(&s.Schedule, nowMS)
	w.checkTargeting(t)
	w.checkAudiences(s, others)
	w.checkFormats(&s.Targeting)
	w.checkRollout(s)
	w.checkVariants(s)
	w.checkRank(s, t, id, others, nowMS)
	return w.list
}

// warnings are those that have been found.
type warnings struct{ list []popup.Warning }

func (w *warnings) prove(pointer string, code popup.WarningCode, detail string) {
	w.list = append(w.list, popup.Warning{Pointer: pointer, Code: code, Detail: detail, Proved: true})
}

func (w *warnings) suspect(pointer string, code popup.WarningCode, detail string) {
	w.list = append(w.list, popup.Warning{Pointer: pointer, Code: code, Detail: detail})
}

func (w *warnings) checkRollout(s *popup.Spec) {
	if s.Rollout.Percent == 0 {
		w.prove("/rollout/percent", popup.NobodyInRollout, "nobody is in a rollout of 0 percent")
	}
}

func (w *warnings) checkVariants(s *popup.Spec) {
	if !hasVariant(s, func(v *popup.Variant) bool { return !v.Control }) {
		w.prove("/variants", popup.OnlyControls, "every variant with a weight is a control, so nobody sees the popup")
	}
	for i := range s.Variants {
		v, at := &s.Variants[i], index("/variants", i)
		w.checkContent(v.Content, at+"/content")
		for _, tag := range slices.Sorted(maps.Keys(v.Translations)) {
			w.checkContent(v.Translations[tag], at+"/translations/"+tag)
		}
	}
}

// hasVariant reports whether one of the variants that users get is as is says.
func hasVariant(s *popup.Spec, is func(*popup.Variant) bool) bool {
	for i := range s.Variants {
		if v := &s.Variants[i]; v.Weight > 0 && is(v) {
			return true
		}
	}
	return false
}

// index returns the JSON pointer of an array's element.
func index(at string, i int) string { return at + "/" + strconv.Itoa(i) }
