package decision

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// shareGates finds the gates that are the same for all popups.
func (x *explanation) shareGates() {
	x.holdout, x.ahead = x.snap.HoldoutGate(x.User), x.aheadText()
	user := x.known.LockBoth(x.User, x.PriorUser)
	defer user.Unlock()
	const nobodys = 1<<32 - 1 // the id of no popup, which has no wait of its own
	v := user.Check(nobodys, &popup.Frequency{}, x.AtMS)
	x.minGap = newGate(popup.MinGapGate, v.Reason, v.ReadyAtMS)
	x.minGap.Wanted, x.minGap.Actual = gapText(x.known.MinGap()), x.lastPopup()
	x.capCounts = user.CapCounts(x.snap, x.AtMS)
	var full frequency.FullCaps
	for i, c := range x.snap.Caps() {
		v := frequency.Verdict{}
		user.CheckCaps(&v, 1<<i, &full, x.snap, x.AtMS)
		g := newGate(popup.CapGate, v.Reason, v.ReadyAtMS)
		g.Cap = c.Key
		g.Wanted = fmt.Sprintf("fewer than %d impressions in %s", c.Max, span(time.Duration(c.PerSec)*time.Second))
		g.Actual = count(x.capCounts[i])
		x.caps = append(x.caps, g)
	}
}

// gates returns all gates of a popup, in the order of [popup.Reason]. reason is what stops it.
func (x *explanation) gates(p *snapshot.Popup, reason popup.Reason) []popup.Gate {
	gates := make([]popup.Gate, 0, snapshot.NumGates+7+len(x.caps))
	gates = append(x.snap.AppendGates(gates, p, &x.Request, x.AtMS), x.holdout, x.controlGate(p))
	gates = append(gates, x.cooldownGate(p), x.maxImpressionsGate(p), x.minGapGate(p, reason))
	for of := p.Caps; of != 0; of &= of - 1 {
		gates = append(gates, x.capGate(bits.TrailingZeros16(uint16(of)), reason))
	}
	return append(gates, x.rankGate(reason), memoryGate(reason))
}

// newGate returns a gate that is open, or closed for a reason until openMS; popup.Never: for ever.
func newGate(name string, closed popup.Reason, opensMS int64) popup.Gate {
	g := popup.Gate{Gate: name, Open: closed == popup.Eligible, Reason: popup.Because(closed)}
	if !g.Open && opensMS != popup.Never {
		g.OpensAt = popup.TimeOf(opensMS)
	}
	return g
}

func (x *explanation) controlGate(p *snapshot.Popup) popup.Gate {
	v, closed := p.Variant(x.User), popup.Eligible
	if v.Control {
		closed = popup.InControl
	}
	g := newGate(popup.ControlGate, closed, popup.Never)
	g.Wanted, g.Actual = "a variant that is shown", "variant "+string(v.Key)
	if v.Control {
		g.Actual += ", a control"
	}
	return g
}

// cooldownGate is the wait that the popup's own impressions and actions ask for.
func (x *explanation) cooldownGate(p *snapshot.Popup) popup.Gate {
	user := x.known.LockBoth(x.User, x.PriorUser)
	v := user.Check(p.ID, &popup.Frequency{IgnoreMinGap: true}, x.AtMS)
	user.Unlock()
	g := newGate(popup.CooldownGate, v.Reason, v.ReadyAtMS)
	g.Wanted, g.Actual = "no wait", "no wait"
	switch {
	case !g.Open:
		g.Actual = "waits until " + moment(v.ReadyAtMS) + " after " + x.lastThing(p.ID)
		if v.ReadyAtMS == popup.Never {
			g.Actual = "waits for ever after " + x.lastThing(p.ID)
		}
	case v.ServedAtMS != 0:
		g.Actual = "no wait any more after " + x.lastThing(p.ID)
	}
	return g
}

// lastThing says what happened last with a popup.
func (x *explanation) lastThing(id uint32) string {
	s := x.states[id]
	if prior := x.priorStates[id]; prior.AtMS > s.AtMS {
		s = prior
	}
	return s.Last.String() + " at " + moment(s.AtMS)
}

func (x *explanation) maxImpressionsGate(p *snapshot.Popup) popup.Gate {
	mine, before := x.states[p.ID], x.priorStates[p.ID]
	seen, most, closed := mine.Seen()+before.Seen(), p.Frequency.MaxImpressions, popup.Eligible
	if most > 0 && seen >= most {
		closed = popup.MaxImpressionsSeen
	}
	g := newGate(popup.MaxImpressionsGate, closed, popup.Never)
	g.Wanted, g.Actual = "no limit", count(int(seen))
	if most > 0 {
		g.Wanted = fmt.Sprintf("fewer than %d impressions", most)
	}
	return g
}

// minGapGate is the least time after any popup that the user saw.
func (x *explanation) minGapGate(p *snapshot.Popup, reason popup.Reason) popup.Gate {
	g := x.minGap
	if p.Frequency.IgnoreMinGap {
		g = newGate(popup.MinGapGate, popup.Eligible, popup.Never)
		g.Wanted, g.Actual = "no gap, it ignores min_gap", x.minGap.Actual
	}
	if g.Open && reason == popup.MinGap { // so it follows another one in this answer
		gap := x.known.MinGap()
		g = newGate(popup.MinGapGate, reason, x.AtMS+gap.Milliseconds())
		g.Wanted, g.Actual = gapText(gap), x.ahead
	}
	return g
}

// gapText says what the least gap between popups asks for.
func gapText(gap time.Duration) string {
	if gap == 0 {
		return "no gap"
	}
	return span(gap) + " after any popup"
}

// lastPopup says which popup the user saw last.
func (x *explanation) lastPopup() string {
	var at int64
	var id uint32
	for _, states := range []map[uint32]popup.State{x.states, x.priorStates} {
		for i, s := range states {
			if seen := s.SeenAtMS(); seen > at || seen == at && i < id {
				at, id = seen, i
			}
		}
	}
	if at == 0 {
		return "no popup seen"
	}
	return x.name(id) + " seen at " + moment(at)
}

// name returns the key of a popup, or its id if that is all that is known.
func (x *explanation) name(id uint32) string {
	if p := x.snap.Popup(id); p != nil {
		return p.Key
	}
	return "popup " + strconv.FormatUint(uint64(id), 10)
}

// aheadText says what is returned before the popups that come after it.
func (x *explanation) aheadText() string {
	var parts []string
	for i := range x.whole.Winners {
		w := &x.whole.Winners[i]
		parts = append(parts, w.Popup.Key+" is returned in "+string(x.PlacementNames()[w.Placement]))
	}
	if len(parts) == 0 {
		return "nothing is returned"
	}
	return strings.Join(parts, ", ")
}

func (x *explanation) capGate(i int, reason popup.Reason) popup.Gate {
	g := x.caps[i]
	if !g.Open || reason != popup.CapFull {
		return g
	}
	now := 0 // what is returned before it in this answer counts
	for j := range x.whole.Winners {
		now += int(x.whole.Winners[j].Popup.Caps >> i & 1)
	}
	if x.capCounts[i]+now >= int(x.snap.Caps()[i].Max) {
		g.Open, g.Reason = false, popup.Because(reason)
		g.Actual += " and " + strconv.Itoa(now) + " in this answer: " + x.ahead
	}
	return g
}

// rankGate is whether the popup's turn has come before the search ended.
func (x *explanation) rankGate(reason popup.Reason) popup.Gate {
	closed := popup.Eligible
	if reason == popup.Outranked {
		closed = reason
	}
	g := newGate(popup.RankGate, closed, popup.Never)
	g.Wanted, g.Actual = "a placement that is still open", x.ahead
	return g
}

func memoryGate(reason popup.Reason) popup.Gate {
	closed := popup.Eligible
	if reason == popup.StateFull {
		closed = reason
	}
	g := newGate(popup.MemoryGate, closed, popup.Never)
	g.Wanted, g.Actual = "memory to remember that it was returned", "some is left"
	if closed == popup.StateFull {
		g.Actual = "none is left, see -state-max"
	}
	return g
}

// count says how many impressions there are.
func count(n int) string {
	if n == 1 {
		return "1 impression"
	}
	return strconv.Itoa(n) + " impressions"
}

// span writes a duration without what is zero at its end.
func span(d time.Duration) string {
	s := d.String()
	if rest, ok := strings.CutSuffix(s, "m0s"); ok {
		s = rest + "m"
	}
	if rest, ok := strings.CutSuffix(s, "h0m"); ok {
		s = rest + "h"
	}
	return s
}

// moment writes a time of ms since the epoch.
func moment(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}
