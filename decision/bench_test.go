package decision

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// waiting returns a fixture with n popups, and a request of a user who waits for
// every one that fits, which is the longest way to nothing.
func waiting(t testing.TB, n int) (*fixture, *popup.Request) {
	t.Helper()
	specs := make([]string, n)
	for i := range specs {
		// One in ten is targeted at this user and waits, the others are not.
		plan := "free"
		if i%10 == 0 {
			plan = "pro"
		}
		specs[i] = fmt.Sprintf(`"priority":%d,"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"plan","op":"eq","value":%q}]}`, i%5, plan)
	}
	f := newFixture(t, frequency.Config{}, specs...)
	r := &popup.Request{
		User: []byte("u-12345678"), Platform: []byte("ios"), AppVersion: []byte("3.2.1"), Locale: []byte("zh-CN"), Country: []byte("CN"),
		Attrs: []popup.Attr{{Name: []byte("plan"), Value: []byte("pro")}},
	}
	for f.Decide(f.snap, f.users, r, f.nowMS, nil); len(f.Winners) > 0; {
		f.Decide(f.snap, f.users, r, f.nowMS, nil)
	}
	f.because(popup.CooldownImpression)
	return f, r
}

func BenchmarkHotDecide(b *testing.B) {
	for _, n := range []int{26, 200, 1000, 10000} {
		b.Run(fmt.Sprintf("popups=%d", n), func(b *testing.B) {
			f, r := waiting(b, n)
			b.ReportAllocs()
			for b.Loop() {
				f.Decide(f.snap, f.users, r, f.nowMS, nil)
			}
		})
	}
}

// BenchmarkHotCaps is BenchmarkHotDecide with three caps over a user who has seen some of
// the popups, and polls that are served.
func BenchmarkHotCaps(b *testing.B) {
	for _, bench := range []struct{ name, caps string }{
		{"none", ""},
		{"three", `{"key":"day","max":10,"per_sec":86400},{"key":"week","max":15,"per_sec":604800},{"key":"month","max":20,"per_sec":2592000}`},
	} {
		for _, stop := range []bool{false, true} {
			b.Run(fmt.Sprintf("caps=%s/stopped=%v", bench.name, stop), func(b *testing.B) {
				specs := make([]string, 26)
				for i := range specs {
					specs[i] = fmt.Sprintf(`"priority":%d,"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]}]},%s`, i%5, often)
				}
				f := newCapped(b, bench.caps, specs...)
				r := &popup.Request{User: []byte("u-12345678"), Platform: []byte("ios")}
				for range 9 {
					f.Decide(f.snap, f.users, r, f.nowMS, nil)
				}
				if stop {
					f.Decide(f.snap, f.users, r, f.nowMS, nil)
				}
				b.ReportAllocs()
				for b.Loop() {
					f.Decide(f.snap, f.users, r, f.nowMS, nil)
					if !stop || bench.caps == "" {
						f.Undo(f.users, r)
					}
				}
			})
		}
	}
}

// BenchmarkExplain explains a page of the popups.
func BenchmarkExplain(b *testing.B) {
	for _, limit := range []int{50, 500} {
		b.Run(fmt.Sprintf("popups=10000/page=%d", limit), func(b *testing.B) {
			f, r := waiting(b, 10_000)
			for b.Loop() {
				Explain(f.snap, f.users, &Query{Request: *r, AtMS: f.nowMS, Limit: limit})
			}
		})
	}
}
