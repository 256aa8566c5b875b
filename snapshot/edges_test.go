package snapshot

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// OpensAfter says what looking at each minute says, where clocks change too.
func TestOpensAfterIsLikeLooking(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"}
	starts := []string{"2026-03-27T00:00:00Z", "2026-10-24T00:00:00Z", "2026-03-07T00:00:00Z", "2026-11-01T00:00:00Z", "2026-04-03T00:00:00Z", "2026-02-13T00:00:00Z", "1998-10-24T00:00:00Z", "2103-03-23T00:00:00Z", "2104-12-29T00:00:00Z"}
	rapid.Check(t, func(t *rapid.T) {
		s := popup.Schedule{Timezone: rapid.SampledFrom(zones).Draw(t, "zone"), UserTime: rapid.Bool().Draw(t, "user time")}
		s.Days = rapid.SampledFrom([][]string{nil, {"sun"}, {"sat", "mon"}}).Draw(t, "days")
		s.Hours = rapid.SampledFrom([][][2]string{{{"02:15", "02:45"}}, {{"23:30", "00:30"}}, {{"01:00", "03:00"}, {"12:00", "12:01"}}}).Draw(t, "hours")
		from, _ := time.Parse(time.RFC3339, rapid.SampledFrom(starts).Draw(t, "near"))
		nowMS := from.UnixMilli() + rapid.Int64Range(0, 4*86_400_000).Draw(t, "after")
		if rapid.Bool().Draw(t, "starts") {
			at := time.UnixMilli(nowMS + rapid.Int64Range(-3_600_000, 3*86_400_000).Draw(t, "start"))
			s.StartAt = &at
		}
		if rapid.Bool().Draw(t, "ends") {
			at := time.UnixMilli(nowMS + rapid.Int64Range(-3_600_000, 9*86_400_000).Draw(t, "end"))
			s.EndAt = &at
		}
		compiled, err := newCompiler(nil).compileSchedule(&s)
		if err != nil {
			t.Fatal(err)
		}
		r := &popup.Request{Zone: []byte(rapid.SampledFrom(zones).Draw(t, "zone of the user"))}
		p := &Popup{schedule: compiled}
		want := popup.Never
		// It opens at nowMS+1, when it starts, or with a minute: offsets are of whole minutes.
		minute := nowMS - nowMS%60_000
		for i := int64(0); i <= 8*minutesPerDay && want == popup.Never; i++ {
			for _, at := range []int64{nowMS + 1, compiled.startMS, minute + i*60_000} {
				if at > nowMS && (i == 0 || at >= minute+i*60_000) && at < minute+(i+1)*60_000 && compiled.gate(at, r.Zone) == popup.Eligible {
					want = min(want, at)
				}
			}
		}
		if got := p.OpensAfter(r, nowMS); got != want && !(want == popup.Never && got > minute+8*minutesPerDay*60_000) {
			t.Fatalf("%+v at %v: opens after %d ms, want %d", s, time.UnixMilli(nowMS).UTC(), got-nowMS, want-nowMS)
		}
	})
}

// A search past the tables of the zones takes no longer than some steps.
func TestOpensAfterFarAhead(t *testing.T) {
	compiled, err := newCompiler(nil).compileSchedule(&popup.Schedule{Timezone: "Europe/Berlin", Days: []string{"sun"}, Hours: [][2]string{{"02:15", "02:16"}}})
	if err != nil {
		t.Fatal(err)
	}
	p := &Popup{schedule: compiled}
	quickest := func(from time.Time) time.Duration {
		least := time.Hour
		for range 20 {
			start := time.Now()
			p.OpensAfter(&popup.Request{}, from.UnixMilli())
			least = min(least, time.Since(start))
		}
		return least
	}
	near := quickest(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	if far := quickest(time.Date(2101, 3, 1, 0, 0, 0, 0, time.UTC)); far > 100*near+100*time.Microsecond {
		t.Errorf("%v, near the present %v", far, near)
	}
}

func TestTargetingChangesAfter(t *testing.T) {
	const at, day = int64(1_760_000_000_000), int64(86_400_000)
	s, _ := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{row(1, `"targeting":{"all":[{"attr":"signup","op":"older_than","value":"1d"}],
		"none":[{"attr":"signup","op":"older_than","value":"2d"},{"attr":"plan","op":"eq","value":"pro"}]}`)}}, nil)
	r := &popup.Request{Attrs: []popup.Attr{
		{Name: []byte("signup"), Value: []byte(time.UnixMilli(at).UTC().Format(time.RFC3339))}, {Name: []byte("signup"), Value: []byte("long ago")},
	}}
	var got []int64
	for now := at; ; {
		if now = s.TargetingChangesAfter(s.Popup(1), r, now); now == popup.Never {
			break
		}
		got = append(got, now-at)
	}
	if want := []int64{day, day + 1, 2 * day, 2*day + 1}; !slices.Equal(got, want) {
		t.Errorf("changes at %v, want %v", got, want)
	}
}
