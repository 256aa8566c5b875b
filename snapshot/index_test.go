package snapshot

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// TestIndexIsLikeEachPopup holds what the index finds, in which order and why nothing else,
// against the popups asked one by one, over changes of catalogs of all sizes. A check is
// 1,000 requests: -rapid.checks=10000 makes up to 10 million.
func TestIndexIsLikeEachPopup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := compileKinds(t, rapid.SliceOfN(rapid.Custom(drawSpec), 12, 12).Draw(t, "kinds"))
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n, requests := rapid.SampledFrom([]int{1, 26, 26, 26, 70, 70, 130, 200}).Draw(t, "popups"), 1000
		if rng.IntN(10) == 0 { // more than a batch, or than a segment
			n, kinds = rapid.SampledFrom([]int{1100, 2500, 5000}).Draw(t, "many popups"), kinds[:1+rng.IntN(4)]
		}
		var now []*Popup
		var m Matches
		var s *Snapshot
		steps := 1 + rng.IntN(6)
		for step := range steps {
			s, now = changeSome(s, now, kinds, n, step, rng)
			if got, want := keys(s.All()), keys(now); got != want {
				t.Fatalf("step %d: all popups are %s, want %s", step, got, want)
			}
			for range requests/steps/max(1, len(now)/100) + 1 {
				r, at := randomRequest(rng), nowMS+[]int64{-1, 0, 1, 60_000, 9 * 3_600_000, 86_400_000}[rng.IntN(6)]
				compareWithEach(t, s, now, &m, r, at)
			}
		}
	})
}

func compileKinds(t *rapid.T, specs []popup.Spec) []*Popup {
	var rows []popup.Row
	for i, spec := range specs {
		spec.Key = fmt.Sprintf("p%d", i+1)
		rows = append(rows, popup.Row{ID: uint32(i + 1), Version: 1, Key: spec.Key, Spec: spec.Encode()})
	}
	s, broken := Compile(popup.Catalog{Revision: 1, Popups: rows}, nil)
	if len(broken) > 0 {
		t.Fatalf("broken: %s: %v", rows[broken[0].ID-1].Spec, broken[0].Err)
	}
	return slices.Clone(s.All())
}

// changeSome takes some popups out of a snapshot, changes some, and fills it up to n.
func changeSome(previous *Snapshot, now, kinds []*Popup, n, step int, rng *rand.Rand) (*Snapshot, []*Popup) {
	var of changes
	var next []*Popup
	make := func(id uint32) *Popup {
		p := *kinds[rng.IntN(len(kinds))]
		p.ID, p.Key, p.Version, p.Priority = id, fmt.Sprintf("p%d", id), uint32(step+1), rng.IntN(3)
		return &p
	}
	share := []int{1, 10, 100}[rng.IntN(3)] // percent that are changed
	for _, p := range now {
		switch {
		case rng.IntN(100) >= share:
			next = append(next, p)
		case rng.IntN(2) == 0:
			of.out = append(of.out, p)
		default:
			of.out, of.in = append(of.out, p), append(of.in, make(p.ID))
		}
	}
	for i := len(next) + len(of.in); i < n; i++ {
		of.in = append(of.in, make(uint32(step*10_000+i+1)))
	}
	s := &Snapshot{Revision: int64(step)}
	c := newCompiler(previous)
	for _, p := range of.in {
		if p.schedule.users != nil {
			c.users = p.schedule.users
		}
	}
	c.finish(s, of)
	next = append(next, of.in...)
	slices.SortFunc(next, selectionOrder)
	return s, next
}

func randomRequest(rng *rand.Rand) *popup.Request {
	of := func(list ...string) []byte { return []byte(list[rng.IntN(len(list))]) }
	value := func() []byte {
		if rng.IntN(4) == 0 {
			return nil
		}
		return of(values...)
	}
	r := &popup.Request{User: of(texts...), Platform: value(), AppVersion: value(), IP: value(), Zone: of("", "Asia/Tokyo", "America/New_York", "Asia/Kathmandu", "Mars/Olympus")}
	if placement := of("", "default", "home", "home", "cart", "nowhere"); len(placement) > 0 {
		r.Placements = [][]byte{placement}
	}
	r.Trigger = of("", "", "load", "exit", "delay:5")
	for range rng.IntN(5) {
		r.Attrs = append(r.Attrs, popup.Attr{Name: of(attrNames...), Value: value()})
	}
	return r
}

func compareWithEach(t interface{ Fatalf(string, ...any) }, s *Snapshot, popups []*Popup, m *Matches, r *popup.Request, at int64) {
	placement := r.PlacementNames()[0]
	s.Match(m, r, placement, at)
	furthest := popup.Eligible
	for _, p := range popups {
		reason := s.Gate(p, r, placement, at)
		if furthest = max(furthest, reason); reason != popup.Eligible {
			continue
		}
		if got := m.Next(); got != p {
			t.Fatalf("found another one than %s: %s\nrequest %+v at %d", p.Key, p.row.Spec, r, at)
		}
	}
	if got := m.Next(); got != nil {
		t.Fatalf("found %s, want nothing more: %s\nrequest %+v at %d", got.Key, got.row.Spec, r, at)
	}
	if got := m.Reason(); got != furthest {
		t.Fatalf("reason %v, want %v; request %+v at %d", got, furthest, r, at)
	}
}
