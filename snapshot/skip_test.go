package snapshot

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// Next returns the popups that it would return without Skip, but for some of those that wait,
// and Skipped says which are the first of these.
func TestSkip(t *testing.T) {
	skipped := 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "popups")
		rows, spread := make([]popup.Row, n), rapid.SampledFrom([]int{1, 1, 7, maxSpread + 2}).Draw(t, "from one id to the next")
		for i := range rows {
			id := uint32(i*spread + 1)
			rows[i] = row(id, fmt.Sprintf(`"priority":%d,"rollout":{"percent":%d},"frequency":{"max_impressions":%d},"targeting":{"all":[{"attr":"plan","op":"in","value":["a",%q]}]}`,
				rapid.IntRange(0, 2).Draw(t, "priority"), rapid.SampledFrom([]int{100, 100, 50}).Draw(t, "percent"), rapid.IntRange(0, 2).Draw(t, "limit"), rapid.SampledFrom([]string{"b", "c"}).Draw(t, "plan")))
		}
		s, _ := Compile(popup.Catalog{Revision: 1, Popups: rows[:n/2]}, nil)
		s, _ = Apply(s, popup.CatalogChange{Revision: 2, Popups: rows[n/2:]})
		var waits []popup.Wait
		byID := map[uint32]popup.Wait{}
		for i := range rows {
			if rapid.IntRange(0, 9).Draw(t, "waits") > 0 {
				w := popup.NewWait(rows[i].ID, rapid.Uint16Range(0, 3).Draw(t, "seen"), rapid.Bool().Draw(t, "for ever"),
					rapid.SampledFrom([]popup.Reason{popup.CooldownClick, popup.CooldownDismiss, popup.CooldownImpression}).Draw(t, "reason"))
				waits, byID[rows[i].ID] = append(waits, w), w
			}
		}
		r := popup.Request{User: []byte("u"), Attrs: []popup.Attr{{Name: []byte("plan"), Value: []byte(rapid.SampledFrom([]string{"a", "b", "none"}).Draw(t, "plan"))}}}
		var m, plain Matches
		s.Match(&m, &r, r.PlacementNames()[0], nowMS)
		s.Match(&plain, &r, r.PlacementNames()[0], nowMS)
		for range rapid.IntRange(0, 5).Draw(t, "asked before") {
			if got, want := m.Next(), plain.Next(); got != want {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
		m.Skip(waits)
		var want Skipped
		note := func(first **Popup, p *Popup) {
			if *first == nil {
				*first = p
			}
		}
		for got := m.Next(); ; got = m.Next() {
			p := plain.Next()
			for ; p != nil && p != got; p = plain.Next() {
				w := byID[p.ID]
				switch w.Reason() {
				case popup.CooldownClick:
					note(&want.Click, p)
				case popup.CooldownDismiss:
					note(&want.Dismiss, p)
				case popup.CooldownImpression:
					note(&want.Impression, p)
				default:
					t.Fatalf("popup %d was left out and does not wait", p.ID)
				}
				if most := p.Frequency.MaxImpressions; !w.Forever() && (most == 0 || w.Seen() < most) {
					note(&want.Ends, p)
				}
				skipped++
			}
			if p != got {
				t.Fatalf("got %v after the last one", got)
			}
			if got == nil {
				break
			}
		}
		if got := m.Skipped(); got != want {
			t.Fatalf("skipped: got %+v, want %+v", got, want)
		}
	})
	if skipped < 10 { // in short mode there are few requests
		t.Errorf("%d popups were skipped: too few to tell", skipped)
	}
}

// The memory of a match holds no popup once it is released, and none is skipped in the next.
func TestSkipEndsWithTheMatch(t *testing.T) {
	rows, waits := make([]popup.Row, 100), make([]popup.Wait, 100)
	for i := range rows {
		rows[i] = row(uint32(i+1), "")
		waits[i] = popup.NewWait(uint32(i+1), 1, false, popup.CooldownImpression)
	}
	s, r := mustCompile(t, rows...), popup.Request{User: []byte("u")}
	var m Matches
	count := func(skip bool) (n int) {
		s.Match(&m, &r, r.PlacementNames()[0], nowMS)
		if skip {
			m.Skip(waits)
		}
		for m.Next() != nil {
			n++
		}
		return n
	}
	if got := count(true); got != 0 || m.Skipped().Impression == nil {
		t.Errorf("%d popups of 100 are left, skipped %+v", got, m.Skipped())
	}
	if got := count(false); got != 100 || m.Skipped() != (Skipped{}) {
		t.Errorf("%d popups of 100 are left in the next match, skipped %+v", got, m.Skipped())
	}
	count(true)
	m.Release()
	for _, s := range m.skips[:cap(m.skips)] {
		if s.Impression != nil || s.user != nil || s.words != nil {
			t.Errorf("a released match refers to %+v", s)
		}
	}
}
