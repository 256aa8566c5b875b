package snapshot

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// detachable is a snapshot that has everything that a snapshot can have.
func detachable(t testing.TB) *Snapshot {
	t.Helper()
	hours := `"schedule":{"hours":[["09:00","12:30"]],"timezone":"Europe/Berlin","user_time":%v}`
	s := mustCompile(t, row(1, fmt.Sprintf(hours, true)), row(2, fmt.Sprintf(hours, false)), row(3, `"goal":{"event":"purchase"},"trigger":"exit"`),
		row(4, `"targeting":{"all":[{"attr":"ip","op":"in_cidr","value":"10.0.0.0/8"}]}`), row(5, ""), row(6, ""),
		row(8, `"targeting":{"none":[`+in("in", "office")+`]}`))
	archived, broken := row(6, ""), row(7, `"schedule":{"timezone":"Mars/Olympus"}`)
	archived.Archived = true
	s.audienceKey = audienceKey
	s, _ = Apply(s, popup.CatalogChange{Revision: 1, Audiences: &[]popup.AudienceRow{ruleRow(1, "office", `"all":[{"attr":"ip","op":"in_cidr","value":"10.2.0.0/16"}]`)}})
	s.All()
	s, _ = Apply(s, popup.CatalogChange{Revision: 2, Popups: []popup.Row{row(5, `"priority":3`), archived, broken}})
	s.All()
	return s
}

// states returns the memory of every index of a snapshot.
func (s *Snapshot) states() (states []*openState) {
	add := func(x *index) {
		for _, p := range x.parts {
			states = append(states, p.state.Load())
			if p.local != nil {
				for i := range p.local {
					states = append(states, p.local[i].Load())
				}
			}
		}
	}
	add(s.active)
	s.byPlacement[popup.DefaultPlacement].each(add)
	return states
}

// Decisions at other times leave alone what polls use.
func TestDetachedHasItsOwnMemory(t *testing.T) {
	s := detachable(t)
	match := func(s *Snapshot, zone string, atMS int64) {
		var m Matches
		r := popup.Request{User: []byte("u"), Zone: []byte(zone)}
		s.Match(&m, &r, []byte(popup.DefaultPlacement), atMS)
		for m.Next() != nil {
		}
		m.Reason()
	}
	for _, zone := range []string{"", "Asia/Tokyo", "Asia/Kathmandu"} {
		match(s, zone, nowMS)
	}
	before := s.states()
	if open := slices.IndexFunc(before, func(s *openState) bool { return s != nil }); open < 0 {
		t.Fatal("nothing is remembered, so nothing can be disturbed")
	}
	d := s.Detached()
	for hour := range int64(48) {
		for _, zone := range []string{"", "Asia/Tokyo", "Asia/Kathmandu"} {
			match(d, zone, nowMS+hour*3_600_000)
		}
	}
	if !slices.Equal(before, s.states()) {
		t.Error("the snapshot that polls use has computed anew who is open")
	}
}

// Nothing that a snapshot has is missing.
func TestDetachedIsWhole(t *testing.T) {
	s := detachable(t)
	d := s.Detached()
	from, to := reflect.ValueOf(s).Elem(), reflect.ValueOf(d).Elem()
	for i := range from.NumField() {
		if name := from.Type().Field(i).Name; from.Field(i).IsZero() {
			t.Errorf("%s is not set, so this test does not know of it", name)
		} else if to.Field(i).IsZero() {
			t.Errorf("%s is missing", name)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		r := popup.Request{User: []byte("u"), IP: []byte("10.1.2.3"), Zone: []byte(rapid.SampledFrom([]string{"", "Asia/Tokyo"}).Draw(t, "zone"))}
		r.Trigger = []byte(rapid.SampledFrom([]string{"", "exit"}).Draw(t, "trigger"))
		at := nowMS + rapid.Int64Range(-86_400_000, 86_400_000).Draw(t, "at")
		var want, got Matches
		s.Match(&want, &r, []byte(popup.DefaultPlacement), at)
		d.Match(&got, &r, []byte(popup.DefaultPlacement), at)
		for {
			p, q := want.Next(), got.Next()
			if p != q {
				t.Fatalf("%v, want %v", q, p)
			}
			if p == nil {
				break
			}
		}
		if want.Reason() != got.Reason() {
			t.Fatalf("%v, want %v", got.Reason(), want.Reason())
		}
	})
}
