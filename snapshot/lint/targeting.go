package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// targeting is a popup's conditions as literals.
type targeting struct {
	attrs  []string             // those of needed, in the order of the spec
	needed map[string][]literal // by attribute: what all and none ask of it
	any    []literal
}

func newTargeting(from *popup.Targeting) *targeting {
	t := &targeting{needed: map[string][]literal{}}
	for i := range from.All {
		t.need(newLiteral(&from.All[i], index("/targeting/all", i), true))
	}
	for i := range from.None {
		t.need(newLiteral(&from.None[i], index("/targeting/none", i), false))
	}
	for i := range from.Any {
		t.any = append(t.any, newLiteral(&from.Any[i], index("/targeting/any", i), true))
	}
	return t
}

func (t *targeting) need(l literal) {
	attr := l.condition.Attr
	if t.needed[attr] == nil {
		t.attrs = append(t.attrs, attr)
	}
	t.needed[attr] = append(t.needed[attr], l)
}

// excludes reports whether it is proved that no request which meets all and none meets
// these literals, which are of one attribute.
func (t *targeting) excludes(literals ...literal) bool {
	return contradict(slices.Concat(t.needed[literals[0].condition.Attr], literals))
}

func (w *warnings) checkTargeting(t *targeting) {
	isPossible := true
	for _, attr := range t.attrs {
		isPossible = w.checkNeeded(t.needed[attr]) && isPossible
	}
	w.checkCount(t)
	if isPossible {
		w.checkAny(t)
	} else {
		for i := range t.any {
			w.checkAlone(&t.any[i])
		}
	}
}

// checkAlone warns of a condition that does not depend on the request. It reports
// whether the literal can be met.
func (w *warnings) checkAlone(l *literal) bool {
	holds := *l
	holds.holds = true
	switch {
	case contradict([]literal{holds}):
		w.prove(l.at, popup.NeverHolds, "no request can meet this condition"+consequence(l, true))
		return !l.holds
	case contradict([]literal{holds.not()}):
		w.prove(l.at, popup.NeverFails, "every request meets this condition"+consequence(l, false))
		return l.holds
	}
	return true
}

// consequence says what follows from a condition that never holds, or never fails.
func consequence(l *literal, neverHolds bool) string {
	isAny := strings.HasPrefix(l.at, "/targeting/any/")
	switch {
	case l.holds == neverHolds && !isAny:
		return ", so nobody fits"
	case !neverHolds && isAny:
		return ", so the others of any change nothing"
	}
	return ", so it changes nothing"
}

// checkNeeded warns of what all and none ask of one attribute. It reports whether it
// may be met.
func (w *warnings) checkNeeded(literals []literal) bool {
	isPossible := true
	for i := range literals {
		isPossible = w.checkAlone(&literals[i]) && isPossible
	}
	for i := 1; isPossible && i < len(literals); i++ {
		if contradict(literals[:i+1]) {
			w.prove(literals[i].at, popup.Contradiction,
				fmt.Sprintf("no %s meets this and %s, so nobody fits", literals[i].condition.Attr, pointers(literals[:i])))
			return false
		}
	}
	if isPossible {
		w.checkSet(literals)
	}
	return isPossible
}

// checkSet warns if only an attribute with several values meets literals, which most
// likely is not known.
func (w *warnings) checkSet(literals []literal) {
	if literals[0].condition.Attr == popup.AudienceAttr { // is a set for everybody
		return
	}
	for i := 1; i < len(literals); i++ {
		if noSingle(literals[:i+1]) {
			w.suspect(literals[i].at, popup.NeedsSet, fmt.Sprintf("no one %s meets this and %s: only an attribute that a poll gives several times can",
				literals[i].condition.Attr, pointers(literals[:i])))
			return
		}
	}
}

// pointers names literals.
func pointers(literals []literal) string {
	text := literals[0].at
	if n := len(literals); n > 1 {
		text = fmt.Sprintf("%s and %d more", text, n-1)
	}
	return text
}

// checkAny warns of conditions of any beside those of all and none, which can be met.
func (w *warnings) checkAny(t *targeting) {
	impossible := 0
	failing := map[string][]literal{} // by attribute: none of any holds
	for i := range t.any {
		l := &t.any[i]
		failing[l.condition.Attr] = append(failing[l.condition.Attr], l.not())
		switch {
		case !w.checkAlone(l):
			impossible++
		case t.excludes(*l):
			impossible++
			w.prove(l.at, popup.Contradiction, fmt.Sprintf("no %s meets this and %s, so it changes nothing", l.condition.Attr, pointers(t.needed[l.condition.Attr])))
		case l.condition.Attr != popup.AudienceAttr && noSingle(slices.Concat(t.needed[l.condition.Attr], []literal{*l})) && !noSingle(t.needed[l.condition.Attr]):
			w.suspect(l.at, popup.NeedsSet, fmt.Sprintf("no one %s meets this and %s: only an attribute that a poll gives several times can", l.condition.Attr, pointers(t.needed[l.condition.Attr])))
		}
	}
	if len(t.any) > 0 && impossible == len(t.any) {
		w.prove("/targeting/any", popup.AnyNeverHolds, "none of these conditions can hold beside those of all and none, so nobody fits")
		return
	}
	for attr, literals := range failing {
		if attr != popup.AudienceAttr && t.excludes(literals...) { // an audience that can't be used stops the popup all the same
			w.prove("/targeting/any", popup.AnyNeverFails, "one of these conditions holds for everybody who fits all and none, so they change nothing")
			return
		}
	}
}

// checkCount warns if more attributes have to be there than a poll may have.
func (w *warnings) checkCount(t *targeting) {
	n := 0
	for _, attr := range t.attrs {
		if !isBuiltin(attr) && !allMet(t.needed[attr], nil) {
			n++
		}
	}
	if n > popup.MaxAttrs {
		w.prove("/targeting", popup.TooManyAttributes, fmt.Sprintf("%d attributes have to be there, and a poll may have %d", n, popup.MaxAttrs))
	}
}
