package decision

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// TestDecideIsLikeTheModel sends users on many polls, and holds what each comes
// to against a model that looks at every popup.
func TestDecideIsLikeTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var specs []string
		for range rapid.IntRange(1, 12).Draw(rt, "popups") {
			specs = append(specs, fmt.Sprintf(`"priority":%d,"placements":[%s],"targeting":{"all":[{"attr":"platform","op":"in","value":[%s]}]},"rollout":{"percent":%d},
				"frequency":{"after_impression_sec":%d,"max_impressions":%d,"ignore_min_gap":%t},"variants":[{"key":"a","weight":%d},{"key":"c","weight":1,"control":true}]`,
				rapid.IntRange(0, 2).Draw(rt, "priority"), rapid.SampledFrom([]string{`"top"`, `"side","top"`, `"side"`, `"top","side","end"`}).Draw(rt, "placements"), rapid.SampledFrom([]string{`"ios"`, `"ios","web"`}).Draw(rt, "platforms"),
				rapid.SampledFrom([]int{100, 100, 50}).Draw(rt, "percent"), rapid.SampledFrom([]int{0, 40, 600}).Draw(rt, "wait"),
				rapid.IntRange(0, 2).Draw(rt, "limit"), rapid.Bool().Draw(rt, "ignores the gap"), rapid.IntRange(0, 2).Draw(rt, "weight")))
		}
		snap := compile(t, specs...)
		config := frequency.Config{MinGap: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "gap")}
		users, modelUsers := frequency.New(config), frequency.New(config)
		var d Decision
		for now := startMS; now < startMS+1_200_000; now += rapid.SampledFrom([]int64{100, 20_000, 60_000}).Draw(rt, "wait") {
			r := &popup.Request{User: []byte(rapid.SampledFrom([]string{"u", "v", "w"}).Draw(rt, "user")), Platform: []byte(rapid.SampledFrom([]string{"ios", "web", "tv"}).Draw(rt, "platform"))}
			for _, name := range rapid.Permutation([]string{"top", "side", "end", "none"}).Draw(rt, "order")[:rapid.IntRange(1, 4).Draw(rt, "placements")] {
				r.Placements = append(r.Placements, []byte(name))
			}
			d.Decide(snap, users, r, now, nil)
			want := modelDecide(snap, modelUsers, r, now)
			var got outline
			for _, w := range d.Winners {
				got.winners = append(got.winners, fmt.Sprintf("%s in %s at %d", w.Popup.Key, r.Placements[w.Placement], w.ServedAtMS))
			}
			for _, e := range d.Events {
				got.events = append(got.events, fmt.Sprint(e.Popup, e.Action, e.ServedAtMS, e.Nth))
			}
			if len(d.Winners) == 0 {
				got.reason, got.readyAtMS = d.Reason, d.readyAtMS
			}
			if !slices.Equal(got.winners, want.winners) || !slices.Equal(got.events, want.events) || got.reason != want.reason || got.readyAtMS != want.readyAtMS {
				rt.Fatalf("at %d, %s on %s, %q: got %+v, want %+v", now-startMS, r.User, r.Platform, r.Placements, got, want)
			}
		}
	})
}

// outline is what a decision comes to; reason and readyAtMS only if nothing is shown.
type outline struct {
	winners   []string
	events    []string
	reason    popup.Reason
	readyAtMS int64
}

func modelDecide(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64) outline {
	o := outline{readyAtMS: popup.Never}
	user := users.Lock(r.User)
	defer user.Unlock()
	var fit []candidate
	for _, p := range snap.All() {
		reason := popup.Eligible
		var in placements
		for i, name := range r.Placements {
			gate := p.Gate(r, name, nowMS)
			reason = max(reason, gate)
			if gate == popup.Eligible {
				in |= 1 << i
			}
		}
		if in != 0 {
			v := user.Check(p.ID, &p.Frequency, nowMS)
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
		if len(free) == 0 || user.Check(c.popup.ID, &c.popup.Frequency, nowMS).Reason != popup.Eligible {
			continue
		}
		v := c.popup.Variant(r.User)
		action := popup.Impression
		if v.Control {
			action = popup.Control
			o.reason = max(o.reason, popup.InControl)
		}
		e := popup.Event{AtMS: nowMS, User: r.User, Popup: c.popup.ID, Version: 1, Variant: v.Key, Action: action}
		if _, ok := user.Serve(&e, &c.popup.Frequency); !ok {
			panic("no memory")
		}
		o.events = append(o.events, fmt.Sprint(e.Popup, e.Action, e.ServedAtMS, e.Nth))
		if !v.Control {
			o.winners = append(o.winners, fmt.Sprintf("%s in %s at %d", c.popup.Key, r.Placements[free[0]], e.ServedAtMS))
			open &^= 1 << free[0]
		}
	}
	if len(o.winners) > 0 {
		o.reason, o.readyAtMS = popup.Eligible, 0
	}
	return o
}
