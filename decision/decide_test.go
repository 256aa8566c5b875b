package decision

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// TestDecideIsLikeTheModel sends users on many polls, under caps and with a holdout, and
// holds what each comes to against a model that looks at every popup and keeps a list of
// all that it has shown.
func TestDecideIsLikeTheModel(t *testing.T) {
	skipped := 0
	rapid.Check(t, func(rt *rapid.T) {
		var specs []string
		n, userIDs, waits := rapid.IntRange(1, 12).Draw(rt, "popups"), []string{"u", "v", "w"}, []int{0, 40, 600}
		if rapid.IntRange(0, 3).Draw(rt, "one user sees many") == 3 {
			n, userIDs, waits = 90, []string{"u"}, []int{40, 600, 600, 600, 600, 600}
		}
		for range n {
			specs = append(specs, fmt.Sprintf(`"priority":%d,"placements":[%s],"targeting":{"all":[{"attr":"platform","op":"in","value":[%s]}]},"rollout":{"percent":%d},
				"frequency":{"after_impression_sec":%d,"max_impressions":%d,"ignore_min_gap":%t},"tags":[%s],"variants":[{"key":"a","weight":%d},{"key":"c","weight":1,"control":true}]`,
				rapid.IntRange(0, 2).Draw(rt, "priority"), rapid.SampledFrom([]string{`"top"`, `"side","top"`, `"side"`, `"top","side","end"`}).Draw(rt, "placements"), rapid.SampledFrom([]string{`"ios"`, `"ios","web"`}).Draw(rt, "platforms"),
				rapid.SampledFrom([]int{100, 100, 50}).Draw(rt, "percent"), rapid.SampledFrom(waits).Draw(rt, "wait"),
				rapid.IntRange(0, 2).Draw(rt, "limit"), rapid.Bool().Draw(rt, "ignores the gap"), rapid.SampledFrom([]string{``, `"sale"`, `"news","sale"`}).Draw(rt, "tags"), rapid.IntRange(0, 2).Draw(rt, "weight")))
		}
		var caps []string
		for i := range rapid.IntRange(0, 3).Draw(rt, "caps") {
			caps = append(caps, fmt.Sprintf(`{"key":"%d","max":%d,"per_sec":%d,"tags":[%s]}`, i, rapid.IntRange(1, 4).Draw(rt, "max"),
				rapid.SampledFrom([]int{1, 60, 90, 600}).Draw(rt, "window"), rapid.SampledFrom([]string{``, `"sale"`, `"news"`, `"none"`}).Draw(rt, "tags")))
		}
		settings := fmt.Sprintf(`{"caps":[%s],"holdout":{"percent":%d}}`, strings.Join(caps, ","), rapid.SampledFrom([]int{0, 0, 50, 100}).Draw(rt, "holdout"))
		snap := compileUnder(t, settings, specs...)
		config := frequency.Config{MinGap: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "gap")}
		users, model := frequency.New(config), model{snap, frequency.New(config), map[string][]popup.Event{}}
		users.KeepImpressions(keptBy(snap))
		var d Decision
		for now := startMS; now < startMS+1_200_000; now += rapid.SampledFrom([]int64{100, 20_000, 60_000}).Draw(rt, "wait") {
			r := &popup.Request{User: []byte(rapid.SampledFrom(userIDs).Draw(rt, "user")), Platform: []byte(rapid.SampledFrom([]string{"ios", "web", "tv"}).Draw(rt, "platform"))}
			for _, name := range rapid.Permutation([]string{"top", "side", "end", "none"}).Draw(rt, "order")[:rapid.IntRange(1, 4).Draw(rt, "placements")] {
				r.Placements = append(r.Placements, []byte(name))
			}
			d.Decide(snap, users, r, now, nil)
			want := model.decide(r, now)
			if d.skips {
				skipped++
			}
			var got outline
			for _, w := range d.Winners {
				got.winners = append(got.winners, fmt.Sprintf("%s in %s at %d", w.Popup.Key, r.Placements[w.Placement], w.ServedAtMS))
			}
			for _, e := range d.Events {
				got.events = append(got.events, describe(&e))
			}
			if !want.taken {
				got.reason, got.readyAtMS = d.Reason, min(d.readyAtMS, now+maxWaitSec*1000)
				want.readyAtMS = min(want.readyAtMS, now+maxWaitSec*1000) // a later one makes no difference
			}
			if !slices.Equal(got.winners, want.winners) || !slices.Equal(got.events, want.events) || got.reason != want.reason || got.readyAtMS != want.readyAtMS {
				rt.Fatalf("at %d, %s on %s, %q: got %+v, want %+v", now-startMS, r.User, r.Platform, r.Placements, got, want)
			}
		}
	})
	if skipped == 0 {
		t.Error("no decision skipped popups")
	}
}

// outline is what a decision comes to; reason and readyAtMS only if no placement is taken:
// else it does not look at every popup.
type outline struct {
	taken     bool
	winners   []string
	events    []string
	reason    popup.Reason
	readyAtMS int64
}

func describe(e *popup.Event) string {
	return fmt.Sprint(e.Popup, string(e.Variant), e.Action, e.ServedAtMS, e.Nth)
}

type model struct {
	snap  *snapshot.Snapshot
	users *frequency.Table
	shown map[string][]popup.Event // to each user
}

// check is what the user's state says of a popup, and the caps: one is full while as many
// impressions as it allows are younger than its window.
func (m *model) check(p *snapshot.Popup, user *frequency.User, r *popup.Request, nowMS int64) frequency.Verdict {
	v := user.Check(p.ID, &p.Frequency, nowMS)
	for _, c := range m.snap.Caps() {
		var ends []int64 // when those that count no longer do
		for _, e := range m.shown[string(r.User)] {
			end := e.ServedAtMS + 99 + c.PerSec*1000 // a time is known to a tenth of a second
			if c.Covers(m.snap.Popup(e.Popup).Tags) && nowMS < end {
				ends = append(ends, end)
			}
		}
		if full := len(ends) - int(c.Max); c.Covers(p.Tags) && full >= 0 {
			if v.ReadyAtMS = max(v.ReadyAtMS, ends[full]); v.Reason == popup.Eligible {
				v.Reason = popup.CapFull
			}
		}
	}
	return v
}

func (m *model) decide(r *popup.Request, nowMS int64) outline {
	o := outline{readyAtMS: popup.Never}
	user := m.users.Lock(r.User)
	defer user.Unlock()
	heldOut := m.snap.InHoldout(r.User)
	var fit []candidate
	for _, p := range m.snap.All() {
		reason := popup.Eligible
		var in placements
		for i, name := range r.Placements {
			gate := m.snap.Gate(p, r, name, nowMS)
			reason = max(reason, gate)
			if gate == popup.Eligible {
				in |= 1 << i
			}
		}
		if in != 0 {
			v := m.check(p, &user, r, nowMS)
			if reason = max(reason, v.Reason); v.Reason == popup.Eligible {
				fit = append(fit, candidate{p, in, v.ServedAtMS})
			} else {
				o.readyAtMS = min(o.readyAtMS, v.ReadyAtMS)
			}
		}
		o.reason = max(o.reason, reason)
	}
	slices.SortFunc(fit, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.popup.Priority, a.popup.Priority), cmp.Compare(a.servedAtMS, b.servedAtMS), cmp.Compare(a.popup.ID, b.popup.ID))
	})
	open := 1<<len(r.Placements) - 1
	for _, c := range fit {
		var free []int
		for i := range r.Placements {
			if int(c.in)&open>>i&1 == 1 {
				free = append(free, i)
			}
		}
		if len(free) == 0 || m.check(c.popup, &user, r, nowMS).Reason != popup.Eligible {
			continue
		}
		v := c.popup.Variant(r.User)
		e := popup.Event{AtMS: nowMS, User: r.User, Popup: c.popup.ID, Version: 1, Variant: v.Key, Action: popup.Impression}
		switch {
		case heldOut:
			e.Variant, e.Action = []byte("holdout"), popup.Control
			o.reason = max(o.reason, popup.InHoldout)
		case v.Control:
			e.Action = popup.Control
			o.reason = max(o.reason, popup.InControl)
		}
		if _, ok := user.Serve(&e, &c.popup.Frequency); !ok {
			panic("no memory")
		}
		o.events = append(o.events, describe(&e))
		if v.Control {
			continue
		}
		open, o.taken = open&^(1<<free[0]), true
		if !heldOut {
			o.winners = append(o.winners, fmt.Sprintf("%s in %s at %d", c.popup.Key, r.Placements[free[0]], e.ServedAtMS))
			m.shown[string(r.User)] = append(m.shown[string(r.User)], e)
		}
	}
	if o.taken {
		o.reason, o.readyAtMS = popup.Eligible, 0
	}
	return o
}
