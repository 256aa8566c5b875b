package decision

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// What stops a popup is what an explanation of the same poll says.
func TestReasonsAreThoseOfAnExplanation(t *testing.T) {
	f := newCapped(t, twoAnHour+","+oneSale, sale, often, often+`,"priority":1,"variants":[{"key":"none","control":true}]`,
		`"placements":["top"],"frequency":{"max_impressions":2,"after_impression_sec":60}`, `"priority":-1,"rollout":{"percent":50}`)
	f.users.SetMinGap(time.Minute)
	found := map[popup.Reason]bool{}
	for i := range 60 {
		f.advance(time.Duration(1+i%9) * 20 * time.Second)
		r := &popup.Request{User: fmt.Appendf(nil, "u%d", i%3)}
		if i%4 == 0 {
			r.Placements = [][]byte{[]byte("top"), []byte("default")}
		}
		e, _ := Explain(f.snap, f.users, &Query{Request: *r, AtMS: f.nowMS, Limit: 100})
		want := map[string]string{}
		for _, c := range e.Candidates {
			want[c.Key] = popup.Eligible.String()
			if c.BlockedBy != nil {
				want[c.Key] = *c.BlockedBy
			}
		}
		got := map[string]string{}
		Reasons(f.snap, f.users, r, f.nowMS, func(p *snapshot.Popup, reason popup.Reason) {
			got[p.Key] = reason.String()
			found[reason] = true
		})
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("poll %d (-explained +got):\n%s", i, d)
		}
		f.Decide(f.snap, f.users, r, f.nowMS, nil)
	}
	if len(found) < 7 {
		t.Errorf("only %v were found", found)
	}
}

// BenchmarkReasons finds what stops each of so many popups, of which one in ten fits.
func BenchmarkReasons(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var specs []string
			for i := range n {
				specs = append(specs, fmt.Sprintf(`"targeting":{"all":[{"attr":"group","op":"eq","value":"%d"}]}`, i%10))
			}
			f := newFixture(b, frequency.Config{}, specs...)
			r := &popup.Request{User: []byte("u"), Attrs: []popup.Attr{{Name: []byte("group"), Value: []byte("3")}}}
			b.ReportAllocs()
			for b.Loop() {
				Reasons(f.snap, f.users, r, f.nowMS, func(*snapshot.Popup, popup.Reason) {})
			}
		})
	}
}
