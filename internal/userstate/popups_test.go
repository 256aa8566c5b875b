package userstate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// TestKeepsByChange: what is known after changes is what it would be if each had named all
// popups.
func TestKeepsByChange(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	s := New(Config{Table: frequency.New(frequency.Config{})})
	var want struct {
		entries, impressions retained
		newest               uint32
	}
	want.entries.kept = map[uint32]int64{}
	whole := func(r *retained, keeps map[uint32]int64) {
		kept := least(keeps, r.kept)
		for id := range kept {
			if _, ok := r.kept[id]; !ok && id <= want.newest && r.kept != nil {
				kept[id] = dropped
			}
		}
		r.keeps, r.kept = keeps, kept
	}
	var last *snapshot.Snapshot
	settings := popup.SettingsRow{}
	for step := range 300 {
		id := 1 + uint32(r.IntN(6))
		key, status := fmt.Sprint("p", id), []string{"active", "active", "archived"}[r.IntN(3)]
		change := popup.CatalogChange{Revision: int64(step), Popups: []popup.Row{{ID: id, Version: uint32(step + 1), Key: key, Archived: status == "archived", Spec: fmt.Appendf(nil,
			`{"key":%q,"status":%q,"tags":[%s],"frequency":{"max_impressions":%d},"goal":{"event":"buy","window_sec":%d}}`,
			key, status, []string{`"red"`, ``}[r.IntN(2)], r.IntN(2), 60*(1+r.IntN(3)))}}}
		if r.IntN(5) == 0 {
			settings = popup.SettingsRow{Version: settings.Version + 1, Spec: fmt.Appendf(nil, `{"caps":[{"key":"a","max":1,"per_sec":%d,"tags":[%s]}]}`,
				60*(1+r.IntN(3)), []string{`"red"`, ``}[r.IntN(2)])}
			change.Settings = &settings
		}
		next, broken := snapshot.Apply(last, change)
		if len(broken) > 0 {
			t.Fatal(broken[0].Err)
		}
		s.SetPopups(next)
		last = next

		keeps, seen := map[uint32]int64{}, map[uint32]int64{}
		if ms := longestOf(next.Caps(), 1<<len(next.Caps())-1); ms > 0 {
			seen[0] = ms
		}
		for _, p := range next.All() {
			if keeps[p.ID] = p.GoalWindow.Milliseconds(); p.Frequency.MaxImpressions > 0 {
				keeps[p.ID] = forEver
			}
			if p.Caps != 0 {
				seen[p.ID] = longestOf(next.Caps(), p.Caps)
			}
		}
		whole(&want.entries, keeps)
		whole(&want.impressions, seen)
		for id := range keeps {
			want.newest = max(want.newest, id)
		}
		k := s.known
		if r.IntN(20) == 0 {
			k.entries.allRead(func(uint32) bool { return true })
			want.entries.kept = maps.Clone(want.entries.keeps)
		}
		got := []any{k.entries.keeps, k.entries.kept, k.impressions.keeps, k.impressions.kept, k.newest}
		if d := cmp.Diff([]any{want.entries.keeps, want.entries.kept, want.impressions.keeps, want.impressions.kept, want.newest}, got); d != "" {
			t.Fatalf("seed %d, step %d (-want +got):\n%s", seed, step, d)
		}
	}
}

// TestChangeCostsWhatChanges: to follow a change of one popup takes no more memory among
// many popups than among few.
func TestChangeCostsWhatChanges(t *testing.T) {
	bytes := map[int]uint64{}
	for _, n := range []int{10, 3000} {
		s := New(Config{Table: frequency.New(frequency.Config{})})
		row := func(id, version uint32) popup.Row {
			return popup.Row{ID: id, Version: version, Key: fmt.Sprint("p", id), Spec: fmt.Appendf(nil, `{"key":"p%d","status":"active"}`, id)}
		}
		var rows []popup.Row
		for id := range uint32(n) {
			rows = append(rows, row(id+1, 1))
		}
		last, _ := snapshot.Compile(popup.Catalog{Popups: rows}, nil)
		s.SetPopups(last)
		const changes = 20
		for version := range uint32(changes) {
			next, _ := snapshot.Apply(last, popup.CatalogChange{Popups: []popup.Row{row(1+version%10, version+2)}})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s.SetPopups(next)
			runtime.ReadMemStats(&after)
			bytes[n] += (after.TotalAlloc - before.TotalAlloc) / changes
			last = next
		}
	}
	if bytes[3000] > 2*bytes[10]+1000 {
		t.Errorf("a change allocates %d bytes among 10 popups, %d among 3000", bytes[10], bytes[3000])
	}
}
