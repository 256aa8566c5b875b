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
			specs = append(specs, fmt.Sprintf(`"priority":%d,"targeting":{"all":[{"attr":"platform","op":"in","value":[%s]}]},"rollout":{"percent":%d},
				"frequency":{"after_impression_sec":%d,"max_impressions":%d,"ignore_min_gap":%t},"variants":[{"key":"a","weight":%d},{"key":"c","weight":1,"control":true}]`,
				rapid.IntRange(0, 2).Draw(rt, "priority"), rapid.SampledFrom([]string{`"ios"`, `"ios","web"`}).Draw(rt, "platforms"),
				rapid.SampledFrom([]int{100, 100, 50}).Draw(rt, "percent"), rapid.SampledFrom([]int{0, 40, 600}).Draw(rt, "wait"),
				rapid.IntRange(0, 2).Draw(rt, "limit"), rapid.Bool().Draw(rt, "ignores the gap"), rapid.IntRange(0, 2).Draw(rt, "weight")))
		}
		snap := compile(t, specs...)
		config := frequency.Config{MinGap: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "gap")}
		users, modelUsers := frequency.New(config), frequency.New(config)
		var d Decision
		for now := startMS; now < startMS+1_200_000; now += rapid.SampledFrom([]int64{100, 20_000, 60_000}).Draw(rt, "wait") {
			r := &popup.Request{User: []byte(rapid.SampledFrom([]string{"u", "v", "w"}).Draw(rt, "user")), Platform: []byte(rapid.SampledFrom([]string{"ios", "web", "tv"}).Draw(rt, "platform"))}
			d.Decide(snap, users, r, now, nil)
			want := modelDecide(snap, modelUsers, r, now)
			got := outline{winner: d.Winner}
			for _, e := range d.Events {
				got.events = append(got.events, fmt.Sprint(e.Popup, e.Action, e.ServedAtMS, e.Nth))
			}
			if d.Winner == nil {
				got.reason, got.readyAtMS = d.Reason, d.readyAtMS
			}
			if got.winner != want.winner || !slices.Equal(got.events, want.events) || got.reason != want.reason || got.readyAtMS != want.readyAtMS {
				rt.Fatalf("at %d, %s on %s: got %+v, want %+v", now-startMS, r.User, r.Platform, got, want)
			}
		}
	})
}

// outline is what a decision comes to; reason and readyAtMS only if nothing is shown.
type outline struct {
	winner    *snapshot.Popup
	events    []string
	reason    popup.Reason
	readyAtMS int64
}

func modelDecide(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64) outline {
	o := outline{readyAtMS: popup.Never}
	user := users.Lock(r.User)
	defer user.Unlock()
	var open []candidate
	for _, p := range snap.All() {
		reason := p.Gate(r, nowMS)
		if reason == popup.Eligible {
			v := user.Check(p.ID, &p.Frequency, nowMS)
			if reason = v.Reason; reason == popup.Eligible {
				open = append(open, candidate{p, v.ServedAtMS})
			} else {
				o.readyAtMS = min(o.readyAtMS, v.ReadyAtMS)
			}
		}
		o.reason = max(o.reason, reason)
	}
	slices.SortFunc(open, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.popup.Priority, a.popup.Priority), cmp.Compare(a.servedAtMS, b.servedAtMS), cmp.Compare(a.popup.ID, b.popup.ID))
	})
	for _, c := range open {
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
			o.winner, o.reason, o.readyAtMS = c.popup, popup.Eligible, 0
			break
		}
	}
	return o
}
