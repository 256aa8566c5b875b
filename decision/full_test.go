package decision

import (
	"fmt"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// Where there is no memory for another popup of the user, there is once what is known has
// expired: a popup that starts then is possible from then on.
func TestExplainWithoutMemory(t *testing.T) {
	start := time.UnixMilli(startMS).Add(60 * 24 * time.Hour)
	specs := make([]string, 100)
	for i := range specs {
		specs[i] = `"priority":1`
	}
	specs = append(specs, fmt.Sprintf(`"schedule":{"start_at":%q}`, start.UTC().Format(time.RFC3339Nano)))
	f := newFixture(t, frequency.Config{MaxBytes: 1000}, specs...)
	r := &popup.Request{User: []byte("u")}
	for f.Decide(f.snap, f.users, r, f.nowMS, nil); len(f.Winners) > 0; f.Decide(f.snap, f.users, r, f.nowMS, nil) {
	}
	f.because(popup.StateFull)
	e, _ := Explain(f.snap, f.users, &Query{Request: *r, AtMS: f.nowMS, NowMS: f.nowMS, Limit: 200})
	full := 0
	for i := range e.Candidates {
		if c := &e.Candidates[i]; c.BlockedBy != nil && *c.BlockedBy == popup.StateFull.String() {
			full++
		}
	}
	last := &e.Candidates[len(e.Candidates)-1]
	if full == 0 || *e.Reason != popup.StateFull.String() || last.EligibleAt == nil || !last.EligibleAt.Equal(start) {
		t.Errorf("%s, %d popups without memory, the one that starts on %v is possible from %v", *e.Reason, full, start, last.EligibleAt)
	}
}
