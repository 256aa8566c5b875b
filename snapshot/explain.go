package snapshot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// NumGates is how many gates there are that [Snapshot.Gate] tries.
const NumGates = 6

// AppendGates appends each gate that [Snapshot.Gate] tries, the closed ones and the open ones,
// with what is wanted and what is, for people to read. Of a request for several placements
// the popup may be in any.
func (s *Snapshot) AppendGates(dst []popup.Gate, p *Popup, r *popup.Request, nowMS int64) []popup.Gate {
	status := gate(popup.StatusGate, p.Status == popup.Active, popup.NotActive)
	status.Wanted, status.Actual = string(popup.Active), string(p.Status)

	placed := false
	var names []string
	for _, name := range r.PlacementNames() {
		placed = placed || p.isPlaced(name)
		names = append(names, string(name))
	}
	placement := gate(popup.PlacementGate, placed, popup.WrongPlacement)
	placement.Wanted, placement.Actual = strings.Join(p.placements, ", "), strings.Join(names, ", ")

	trigger := gate(popup.TriggerGate, string(r.TriggerName()) == p.trigger, popup.WrongTrigger)
	trigger.Wanted, trigger.Actual = p.trigger, string(r.TriggerName())

	rollout := gate(popup.RolloutGate, p.inRollout(r.User), popup.NotInRollout)
	rollout.Wanted = share(p.rolloutShare)
	rollout.Actual = "hash " + strconv.FormatUint(p.rollout.sum(r.User)%rolloutSteps, 10)
	return append(dst, status, p.scheduleGate(r, nowMS), placement, trigger, s.targetingGate(p, r, nowMS), rollout)
}

// gate returns a gate that is open, or closed for a reason.
func gate(name string, open bool, closed popup.Reason) popup.Gate {
	g := popup.Gate{Gate: name, Open: open}
	if !open {
		g.Reason = popup.Because(closed)
	}
	return g
}

// share says which hashes are in a share of the users.
func share(of uint64) string {
	percent := strconv.FormatFloat(float64(of)*100/rolloutSteps, 'f', -1, 64)
	return fmt.Sprintf("a hash below %d of %d (%s %%)", of, rolloutSteps, percent)
}

// HoldoutGate is the gate of the holdout, which is the same for all popups.
func (s *Snapshot) HoldoutGate(user []byte) popup.Gate {
	h := &s.Settings().holdout
	g := gate(popup.HoldoutGate, !s.InHoldout(user), popup.InHoldout)
	g.Wanted, g.Actual = "no holdout", "no holdout"
	if h.share > 0 {
		g.Wanted = "not " + share(h.share)
		g.Actual = "hash " + strconv.FormatUint(h.hash.sum(user)%rolloutSteps, 10)
	}
	return g
}

func (p *Popup) scheduleGate(r *popup.Request, nowMS int64) popup.Gate {
	s := &p.schedule
	reason := s.gate(nowMS, r.Zone)
	g := gate(popup.ScheduleGate, reason == popup.Eligible, reason)
	location := time.UTC
	if s.week != nil {
		location = s.zoneOf(s.users.find(r.Zone)).location
	}
	g.Wanted = p.scheduleText(location)
	g.Actual = time.UnixMilli(nowMS).In(location).Format("Mon " + time.RFC3339)
	if !g.Open {
		if opens := p.OpensAfter(r, nowMS); opens != popup.Never {
			g.OpensAt = popup.TimeOf(opens)
		}
	}
	return g
}

// scheduleText says when the popup is open.
func (p *Popup) scheduleText(location *time.Location) string {
	s, parts := &p.schedule, []string{}
	if s.startMS != noSchedule.startMS {
		parts = append(parts, "from "+time.UnixMilli(s.startMS).In(location).Format(time.RFC3339))
	}
	if s.endMS != noSchedule.endMS {
		parts = append(parts, "before "+time.UnixMilli(s.endMS).In(location).Format(time.RFC3339))
	}
	if s.week != nil {
		parts = append(parts, s.week.text+" in "+location.String())
	}
	if len(parts) == 0 {
		return "any time"
	}
	return strings.Join(parts, ", ")
}

func (s *Snapshot) targetingGate(p *Popup, r *popup.Request, nowMS int64) popup.Gate {
	t := &p.targeting
	g := gate(popup.TargetingGate, s.Targets(p, r, nowMS), popup.NotTargeted)
	var users membership
	users.begin(s.currentAudiences(), r, nowMS)
	met := 0
	for _, group := range []struct {
		name       string
		conditions []*condition
	}{{"all", t.all}, {"any", t.any}, {"none", t.none}} {
		for i, c := range group.conditions {
			e := c.explain(r, &users.value)
			e.Pointer = "/targeting/" + group.name + "/" + strconv.Itoa(i)
			e.Passes = e.Holds != (group.name == "none")
			if c.attr == attrAudience {
				users.explain(&e, c.texts)
			}
			if e.Passes && group.name == "any" {
				met++
			}
			g.Conditions = append(g.Conditions, e)
		}
	}
	g.Wanted, g.Actual = targetingText(t), "no condition"
	if len(g.Conditions) > 0 {
		g.Actual = stoppedBy(g.Conditions, len(t.any) > 0 && met == 0)
	}
	if key, why := users.audiences.unusable(t.audiences...); why != "" {
		g.Actual = "is for nobody: the audience " + key + " " + why
	}
	return g
}

// targetingText says which conditions have to hold.
func targetingText(t *targeting) string {
	var parts []string
	for _, group := range []struct {
		text string
		n    int
	}{{"all of %d", len(t.all)}, {"any of %d", len(t.any)}, {"none of %d", len(t.none)}} {
		if group.n > 0 {
			parts = append(parts, fmt.Sprintf(group.text, group.n))
		}
	}
	if len(parts) == 0 {
		return "everybody"
	}
	return strings.Join(parts, ", ")
}

// stoppedBy says which conditions are not as they must be, the first few of them.
func stoppedBy(conditions []popup.ExplainedCondition, noneOfAny bool) string {
	const most = 3
	var parts []string
	for i := range conditions {
		c := &conditions[i]
		if !c.Passes && (noneOfAny || !strings.HasPrefix(c.Pointer, "/targeting/any/")) {
			parts = append(parts, conditionText(c))
		}
	}
	switch {
	case len(parts) == 0:
		return "as wanted"
	case len(parts) > most:
		parts = append(parts[:most], fmt.Sprintf("and %d more", len(parts)-most))
	}
	return strings.Join(parts, "; ")
}

// conditionText says what a condition wants, and what the request has.
func conditionText(c *popup.ExplainedCondition) string {
	text, not := c.Attr+" "+string(c.Op), ""
	if c.Value != nil {
		value, _ := json.Marshal(c.Value)
		text += " " + shorten(string(value))
	}
	if strings.HasPrefix(c.Pointer, "/targeting/none/") {
		not = "not "
	}
	if c.Attr == popup.AudienceAttr && c.Actual == nil {
		return not + text + ": the user is in none of them"
	}
	if c.Actual == nil {
		return not + text + ": it is missing"
	}
	actual, _ := json.Marshal(c.Actual)
	text = not + text + ": it is " + shorten(string(actual))
	if c.Note != "" {
		text += ", which " + c.Note
	}
	return text
}

// shorten cuts off a text that is too long for one line of a table.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// explain adds to a condition on audiences in which of those that it names the user is.
func (u *membership) explain(e *popup.ExplainedCondition, keys []string) {
	var in []string
	for _, key := range keys {
		if u.isInAny([]string{key}) {
			in = append(in, key)
		}
	}
	switch len(in) {
	case 0:
	case 1:
		e.Actual = in[0]
	default:
		e.Actual = in
	}
	if key, why := u.audiences.unusable(keys...); why != "" {
		e.Note, e.Passes = "names "+key+", which "+why, false
	}
}

// explain says what the condition compares, and with what. scratch is memory that knows the
// time and the user's audiences.
func (c *condition) explain(r *popup.Request, scratch *value) popup.ExplainedCondition {
	e := popup.ExplainedCondition{Condition: c.from, Holds: c.matches(r, scratch)}
	var values []string
	unread, v := 0, value{nowMS: scratch.nowMS}
	m := membersOf(r, c.attr, c.name)
	for text := m.next(); text != nil; text = m.next() {
		values = append(values, strings.ToValidUTF8(string(text), "\ufffd"))
		if v.set(c.attr, text); c.unread(&v) != "" {
			unread++
		}
	}
	switch len(values) {
	case 0:
		return e
	case 1:
		e.Actual = values[0]
	default:
		e.Actual = values
	}
	switch {
	case unread < len(values):
	case unread == 1:
		e.Note = "is " + c.unread(&v)
	default:
		e.Note = "has " + c.unread(&v)
	}
	return e
}

// unread says what a value is not, if the test cannot read it as that, else nothing.
func (c *condition) unread(v *value) string {
	if c.attr == attrAppVersion && v.asVersion() == nil {
		return "no version, so it counts as missing"
	}
	switch c.test {
	case testGt, testGte, testLt, testLte:
		if _, ok := v.asNumber(); !ok {
			return "no number"
		}
	case testBefore, testAfter, testOlder, testNewer:
		if _, ok := v.asTime(); !ok {
			return "no time of RFC 3339"
		}
	case testInNetworks:
		if _, ok := v.asAddr(); !ok {
			return "no address"
		}
	case testSemverEq, testSemverGt, testSemverGte, testSemverLt, testSemverLte:
		if v.asVersion() == nil {
			return "no version"
		}
	}
	return ""
}
