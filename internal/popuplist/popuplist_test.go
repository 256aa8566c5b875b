package popuplist

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// entryOf returns the entry of popup id, whose key is p and its id.
func entryOf(id uint32, updatedMS int64, spec string) *Entry {
	return NewEntry(id, 1, updatedMS, fmt.Sprint("p", id), popup.Draft, []byte(spec))
}

func TestOrders(t *testing.T) {
	list := New([]*Entry{
		entryOf(1, 30, `{"name":"banana","priority":2,"schedule":{"start_at":"2026-01-02T00:00:00Z","end_at":"2026-02-01T00:00:00Z"}}`),
		entryOf(2, 10, `{"name":"Apple","priority":-1,"schedule":{"start_at":null,"end_at":null}}`),
		entryOf(3, 20, `{"name":"Čokoláda","priority":2,"schedule":{"start_at":"2026-01-01T00:00:00Z","end_at":"2026-03-01T00:00:00Z"}}`),
		entryOf(10, 20, `{"name":"","priority":0}`),
	})
	for name, want := range map[string]string{
		"": "[1 2 3 10]", "id": "[1 2 3 10]", "-id": "[10 3 2 1]",
		"key": "[1 10 2 3]", "-key": "[3 2 10 1]",
		"name": "[2 1 10 3]", "-name": "[3 10 1 2]",
		"priority": "[2 10 1 3]", "-priority": "[3 1 10 2]",
		"start_at": "[2 10 3 1]", "-start_at": "[1 3 10 2]",
		"end_at": "[1 3 2 10]", "-end_at": "[10 2 3 1]",
		"updated_at": "[2 3 10 1]", "-updated_at": "[1 10 3 2]",
	} {
		order, ok := ParseOrder(name)
		if !ok {
			t.Errorf("%q is no order", name)
		}
		if got := fmt.Sprint(list.Find(&Query{Order: order, Limit: 9}).IDs); got != want {
			t.Errorf("by %q: %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"-", "--id", "ids", "Name", "status"} {
		if _, ok := ParseOrder(name); ok {
			t.Errorf("%q is taken for an order", name)
		}
	}
}

func TestSearch(t *testing.T) {
	list := New([]*Entry{
		NewEntry(1, 1, 0, "spring-sale", popup.Active, []byte(`{"name":"Frühling STRASSE","tags":["Shop"],"variants":[
			{"content":{"title":"Half price"},"translations":{"zh":{"title":"半价"},"el":{"title":"ΤΕΛΟΣ"}}},{"content":{"title":7}}]}`)),
		NewEntry(2, 1, 0, "broken", popup.Paused, []byte(`{"name":"cut of`)),
		NewEntry(3, 1, 0, "odd", popup.Paused, []byte(`{"name":7,"tags":["kept"],"variants":[]}`)),
	})
	for text, want := range map[string]string{
		"": "[1 2 3]", "  ": "[1 2 3]", "SPRING": "[1]", "sale  half": "[1]", "half sale nothing": "[]", "半价": "[1]", "τέλος": "[]", "τελος": "[1]", "τελοσ": "[1]",
		"FRÜHLING": "[1]", "shop": "[1]", "bro": "[2]", "kept": "[3]", "e k": "[2 3]", "%": "[]",
	} {
		if got := fmt.Sprint(list.Find(&Query{Text: text, Limit: 9}).IDs); got != want {
			t.Errorf("%q finds %s, want %s", text, got, want)
		}
	}
	if got := list.Find(&Query{Statuses: []popup.Status{popup.Paused}, Limit: 9}).IDs; !slices.Equal(got, []uint32{2, 3}) {
		t.Errorf("a spec without a status has that of its column: %v", got)
	}
}

// What is searched of a popup is bounded.
func TestLongTitles(t *testing.T) {
	long := `{"content":{"title":"` + strings.Repeat("x", 3000) + `"}}`
	e := NewEntry(1, 1, 0, "k", popup.Draft, []byte(`{"name":"n","variants":[`+long+`,`+long+`,{"content":{"title":"short"}}]}`))
	if len(e.text) > maxText+10 || !e.hasAll([]string{"short"}) {
		t.Errorf("%d bytes are searched", len(e.text))
	}
}

func TestFacets(t *testing.T) {
	var entries []*Entry
	for i := range uint32(MaxFacets + 5) {
		entries = append(entries, entryOf(i+1, 0, fmt.Sprintf(`{"status":"active","tags":["t%03d"],"placements":["home"]}`, i)))
	}
	entries = append(entries, entryOf(1000, 0, `{"status":"paused","tags":["t203","zz"],"placements":["side"]}`))
	page := New(entries).Find(&Query{Limit: 1})
	if got := page.Facets.Tags; len(got) != MaxFacets || got[MaxFacets-1] != (Facet{"t203", 2}) || got[0] != (Facet{"t000", 1}) {
		t.Errorf("%d tags, from %v to %v", len(got), got[0], got[len(got)-1])
	}
	if d := cmp.Diff(map[popup.Status]int{popup.Active: MaxFacets + 5, popup.Paused: 1}, page.Facets.Statuses); d != "" {
		t.Errorf("statuses (-want +got):\n%s", d)
	}
	page = New(entries).Find(&Query{Limit: 1, Statuses: []popup.Status{popup.Paused}, Placement: "home"})
	want := Facets{Statuses: map[popup.Status]int{popup.Active: MaxFacets + 5}, Tags: []Facet{}, Placements: []Facet{{"side", 1}}}
	if d := cmp.Diff(want, page.Facets); d != "" || page.Total != 0 {
		t.Errorf("total %d, facets (-want +got):\n%s", page.Total, d)
	}
}

// Pages in any order have every popup once that does not change meanwhile, whatever others do.
func TestPagesUnderChanges(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		order := Order{[]By{ByID, ByKey, ByName, ByPriority, ByStart, ByEnd, ByUpdatedAt}[random.IntN(7)], random.IntN(2) == 0}
		all := map[uint32]*Entry{}
		change := func(id uint32) {
			all[id] = entryOf(id, int64(random.IntN(5)), fmt.Sprintf(`{"name":"n%d","priority":%d}`, random.IntN(5), random.IntN(5)))
		}
		for id := range uint32(40) {
			change(id + 1)
		}
		seen, pages := map[uint32]int{}, 0
		q := Query{Order: order, Limit: 1 + random.IntN(9)}
		for first := true; first || q.After.ID != 0; first = false {
			var entries []*Entry
			for _, id := range slices.Sorted(maps.Keys(all)) {
				entries = append(entries, all[id])
			}
			page := New(entries).Find(&q)
			for _, id := range page.IDs {
				seen[id]++
			}
			text := page.Next.Encode(order)
			if page.Next.ID != 0 {
				place, of, ok := DecodePlace(text)
				if !ok || of != order || place != page.Next {
					t.Fatalf("seed %d: %q is read as %v in %v, %v", seed, text, place, of, ok)
				}
			}
			if pages++; pages > 100 {
				t.Fatalf("seed %d: by %s the pages do not end", seed, order)
			}
			q.After = page.Next
			for range 5 { // those above 20 come, go and change
				if id := uint32(21 + random.IntN(40)); random.IntN(2) == 0 {
					delete(all, id)
				} else {
					change(id)
				}
			}
		}
		for id := range uint32(20) {
			if seen[id+1] != 1 {
				t.Fatalf("seed %d: by %s popup %d came %d times", seed, order, id+1, seen[id+1])
			}
		}
	}
}

// FuzzDecodePlace: only what Encode wrote is read.
func FuzzDecodePlace(f *testing.F) {
	f.Add("id:1:0:")
	f.Add("-name:4294967295:-9223372036854775808:a:b")
	f.Add("name:0:0:")
	f.Fuzz(func(t *testing.T, text string) {
		p, o, ok := DecodePlace(text)
		if ok && (p.Encode(o) != text || p.ID == 0) {
			t.Fatalf("%q is read as %v in %v", text, p, o)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	var entries []*Entry
	for i := range uint32(10_000) {
		entries = append(entries, entryOf(i+1, int64(i), fmt.Sprintf(`{"name":"Campaign %d","status":"active","priority":%d,"tags":["team-%d","q%d"],"placements":["home","place-%d"],
			"variants":[{"content":{"title":"Up to %d %% off"}},{"content":{"title":"Only until Sunday"}}]}`, i*7919%10_000, i%10, i%40, i%4, i%50, i%60)))
	}
	list := New(entries)
	for _, c := range []struct {
		name string
		q    Query
	}{{"all", Query{}}, {"name", Query{Order: Order{By: ByName}}}, {"text", Query{Text: "campaign sunday", Order: Order{By: ByName}}}, {"tag", Query{Tag: "team-7", Placement: "place-7"}}} {
		b.Run(c.name, func(b *testing.B) {
			c.q.Limit = 50
			for b.Loop() {
				list.Find(&c.q)
			}
		})
	}
}
