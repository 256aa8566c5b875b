package decision

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// To skip popups that the user waits for changes nothing: a decision that may is held against
// one that has a recorder, and so never does, among many popups of which the user has seen most.
func TestSkippingChangesNothing(t *testing.T) {
	var served, nothing int
	rapid.Check(t, func(rt *rapid.T) {
		specs := make([]string, rapid.IntRange(60, 200).Draw(rt, "popups"))
		for i := range specs {
			draw := func(of ...string) string { return rapid.SampledFrom(of).Draw(rt, "") }
			specs[i] = fmt.Sprintf(`"priority":%s,"placements":[%s],"targeting":{"all":[{"attr":"platform","op":"in","value":[%s]}]},"rollout":{"percent":%s},
				"frequency":{"after_impression_sec":%s,"max_impressions":%s,"ignore_min_gap":%s},"tags":[%s],"variants":[{"key":"a","weight":%s},{"key":"c","weight":1,"control":true}]`,
				draw("0", "1", "2"), draw(`"top"`, `"top"`, `"side","top"`, `"side"`), draw(`"ios"`, `"ios","web"`), draw("100", "100", "50"), draw("0", "200", "300", "86400", "-1"),
				draw("0", "0", "1", "3"), draw("true", "false"), draw(``, `"sale"`), draw("0", "3"))
		}
		settings := `{"caps":[{"key":"day","max":` + rapid.SampledFrom([]string{"1", "20"}).Draw(rt, "cap") + `,"per_sec":3600,"tags":["sale"]}],"holdout":{"percent":` + rapid.SampledFrom([]string{"0", "0", "100"}).Draw(rt, "holdout") + `}}`
		snap := compileUnder(rt, settings, specs...)
		config := frequency.Config{MinGap: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(rt, "gap")}
		tables := [2]*frequency.Table{frequency.New(config), frequency.New(config)}
		unseen := rapid.SampledFrom([]int{2, 20, 1000}).Draw(rt, "one in so many is unseen")
		for id := range uint32(len(specs)) {
			if rapid.IntRange(0, unseen).Draw(rt, "unseen") == 0 {
				continue
			}
			s := popup.State{Impressions: rapid.Uint32Range(1, 3).Draw(rt, "seen"), Last: popup.Impression}
			s.ServedAtMS = startMS - rapid.SampledFrom([]int64{-minuteMS / 2, minuteMS, 10 * minuteMS, dayMS}).Draw(rt, "ago")
			s.AtMS, s.ShownAtMS = s.ServedAtMS, s.ServedAtMS
			s.NextAtMS = rapid.SampledFrom([]int64{0, startMS + minuteMS, startMS + 5*minuteMS, startMS + dayMS, popup.Never}).Draw(rt, "next")
			if action := rapid.SampledFrom([]popup.Action{popup.Impression, popup.Click, popup.Dismiss, popup.Control}).Draw(rt, "action"); action != popup.Impression && s.NextAtMS > 0 {
				s.Last, s.Acted, s.ClickUntilMS = action, action.Bit(), s.NextAtMS
			}
			for _, users := range tables {
				users.KeepImpressions(keptBy(snap))
				users.Restore([]byte("u"), id+1, s)
			}
		}
		var d, ref Decision
		for now := startMS; now < startMS+10*minuteMS; now += rapid.SampledFrom([]int64{100, 20_000, 60_000}).Draw(rt, "wait") {
			r := &popup.Request{User: []byte("u"), Platform: []byte(rapid.SampledFrom([]string{"ios", "web", "tv"}).Draw(rt, "platform"))}
			for _, name := range rapid.Permutation([]string{"top", "side"}).Draw(rt, "order")[:rapid.IntRange(1, 2).Draw(rt, "placements")] {
				r.Placements = append(r.Placements, []byte(name))
			}
			if rapid.IntRange(0, 4).Draw(rt, "had another id") == 0 {
				r.PriorUser = []byte("v")
			}
			ref.recorder = recorder{}
			d.Decide(snap, tables[0], r, now, nil)
			ref.Decide(snap, tables[1], r, now, nil)
			if got, want := d.said(), ref.said(); got != want {
				rt.Fatalf("after %d ms, %s in %q: skipped %v, got\n%s\nwant\n%s", now-startMS, r.Platform, r.Placements, d.skips, got, want)
			}
			if d.skips {
				if len(d.Winners) > 0 {
					served++
				} else {
					nothing++
				}
			}
		}
		if !bytes.Equal(dumpOf(rt, tables[0]), dumpOf(rt, tables[1])) {
			rt.Fatal("the tables differ")
		}
	})
	if served < 20 || nothing < 20 {
		t.Errorf("of polls in which popups were skipped %d were served and %d not: want both", served, nothing)
	}
}

// The furthest reason is that of a popup far behind, which was not checked.
func TestReasonOfASkippedPopup(t *testing.T) {
	f := newFixture(t, frequency.Config{}, make([]string, 100)...)
	for _, c := range []struct {
		last popup.Action
		want popup.Reason
	}{{popup.Click, popup.CooldownClick}, {popup.Dismiss, popup.CooldownDismiss}, {popup.Impression, popup.CooldownImpression}} {
		user := c.last.String()
		for id := range uint32(100) {
			s := popup.State{Impressions: 1, ServedAtMS: startMS - 1000, ShownAtMS: startMS - 1000, AtMS: startMS - 1000, NextAtMS: startMS + dayMS, Last: popup.Click}
			if id == 99 {
				s.Last = c.last
			}
			if s.Acted = s.Last.Bit(); s.Acted != 0 {
				s.ClickUntilMS = s.NextAtMS
			}
			f.users.Restore([]byte(user), id+1, s)
		}
		f.sees(user, "")
		f.because(c.want)
		if !f.skips {
			t.Errorf("%s: no popup was skipped", user)
		}
	}
}

// A popup that was served before is tried after all others of its priority, so the reason is
// also that of one with a greater id, which was skipped.
func TestReasonOfASkippedPopupWithAGreaterID(t *testing.T) {
	snap, users := compileUnder(t, `{"holdout":{"percent":100}}`, make([]string, 100)...), frequency.New(frequency.Config{})
	for id := range uint32(100) {
		s := popup.State{Impressions: 1, ServedAtMS: startMS - 1000, ShownAtMS: startMS - 1000, AtMS: startMS - 1000, NextAtMS: startMS + dayMS}
		switch id {
		case 50:
			s.NextAtMS, s.Last = 0, popup.Impression
		case 99:
			s.Last = popup.Impression
		default:
			s.Last, s.Acted, s.ClickUntilMS = popup.Click, popup.Click.Bit(), s.NextAtMS
		}
		users.Restore([]byte("u"), id+1, s)
	}
	var d Decision
	d.Decide(snap, users, &popup.Request{User: []byte("u")}, startMS, nil)
	if !d.skips || len(d.Events) != 1 || d.Reason != popup.CooldownImpression {
		t.Errorf("skipped %v, %d events, reason %v", d.skips, len(d.Events), d.Reason)
	}
}
