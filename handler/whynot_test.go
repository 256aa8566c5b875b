package handler

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/sample"
	"github.com/popupd/popupd/popup"
)

// whyNotRows is a store of what was counted.
type whyNotRows []popup.WhyNot

func (s *whyNotRows) AddWhyNot(_ context.Context, counts []popup.WhyNot) error {
	*s = append(*s, counts...)
	return nil
}

func (s *whyNotRows) WhyNot(context.Context, uint32, int64, int64) ([]popup.WhyNot, error) {
	return *s, nil
}

// Where every poll is looked at, each popup has for each poll the one thing that stopped it,
// as it was before the poll: what the poll itself showed stops nothing.
func TestWhyNotIsExact(t *testing.T) {
	var rows whyNotRows
	var counter *sample.WhyNot
	f := newServer(t, func(c *Config) {
		counter = sample.NewWhyNot(sample.WhyNotConfig{Store: &rows, Snapshots: c.Snapshots, PerSecond: 1000})
		c.WhyNot = counter
		c.Users.SetMinGap(10 * time.Minute)
	},
		`"priority":9,"frequency":{"after_impression_sec":3600,"ignore_min_gap":true}`, // whenever it does not wait
		everyTime+`,"priority":5`, // starves: each poll shows p1, or comes too soon after that
		everyTime+`,"priority":1,"targeting":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}`,
		everyTime+`,"status":"paused"`,
		everyTime+`,"placements":["elsewhere"]`,
	).start()
	want := map[string]uint64{}
	for i := range 6 { // every minute
		plan, third := "&a.plan=pro", "outranked"
		if i%2 == 1 {
			plan, third = "", "targeting"
		}
		if i == 0 || i == 2 { // two users
			f.sees(fmt.Sprint("u", i/2%2), "p1", plan)
			want["p1 eligible"]++
			want["p2 outranked"]++
		} else {
			f.sees(fmt.Sprint("u", i/2%2), "", plan)
			want["p1 cooldown_impression"]++
			want["p2 min_gap"]++
			if i%2 == 0 {
				third = "min_gap"
			}
		}
		want["p3 "+third]++
		want["p5 placement"]++
		f.clock.advance(time.Minute)
	}
	f.do("GET", "/v1/poll?uid=u&rid=12345678", "")
	f.do("GET", "/v1/poll?uid=u&rid=12345678", "") // the same poll
	want["p1 eligible"]++
	want["p2 outranked"]++
	want["p3 targeting"]++
	want["p5 placement"]++

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := counter.Run(ctx); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, r := range rows {
		got[fmt.Sprintf("p%d %v", r.PopupID, r.Reason)] += r.Polls
		if r.Polls != r.Sampled || r.HourMS != startMS-startMS%3_600_000 {
			t.Errorf("%+v", r)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
