package decision

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	startMS  = int64(1_760_000_000_000)
	minuteMS = 60_000
	dayMS    = 86_400_000
)

// compile returns a snapshot of popups of these specs, with the ids 1, 2, 3...
// A spec is JSON without braces; the keys are p1, p2, p3..., and all are active.
func compile(t testing.TB, specs ...string) *snapshot.Snapshot {
	t.Helper()
	return compileUnder(t, `{}`, specs...)
}

// compileUnder is compile with settings.
func compileUnder(t reporter, settings string, specs ...string) *snapshot.Snapshot {
	t.Helper()
	rows := make([]popup.Row, len(specs))
	for i, spec := range specs {
		if spec != "" {
			spec = "," + spec
		}
		rows[i] = popup.Row{
			ID: uint32(i + 1), Version: 1, Key: fmt.Sprintf("p%d", i+1),
			Spec: fmt.Appendf(nil, `{"key":"p%d","status":"active"%s}`, i+1, spec),
		}
	}
	return compileRows(t, settings, rows)
}

func compileRows(t reporter, settings string, rows []popup.Row) *snapshot.Snapshot {
	t.Helper()
	snap, broken := snapshot.Compile(popup.Catalog{
		Revision: 1, Popups: rows, Settings: popup.SettingsRow{Version: 1, Spec: []byte(settings)},
	}, nil)
	for _, b := range broken {
		t.Errorf("popup %s: %v", b.Key, b.Err)
	}
	return snap
}

// reporter is what a test and a check of package rapid have in common.
type reporter interface {
	Helper()
	Errorf(string, ...any)
}

// fixture decides for users one poll after the other, on a clock that stands
// still until it is moved.
type fixture struct {
	testing.TB
	Decision
	snap  *snapshot.Snapshot
	users *frequency.Table
	limit NewUsers
	nowMS int64
}

func newFixture(t testing.TB, users frequency.Config, specs ...string) *fixture {
	t.Helper()
	return &fixture{TB: t, snap: compile(t, specs...), users: frequency.New(users), nowMS: startMS}
}

// newCatalog is newFixture with the popups of a catalog.
func newCatalog(t testing.TB, rows []popup.Row) *fixture {
	t.Helper()
	return &fixture{TB: t, snap: compileRows(t, `{}`, rows), users: frequency.New(frequency.Config{}), nowMS: startMS}
}

// newCapped is newFixture with caps.
func newCapped(t testing.TB, caps string, specs ...string) *fixture {
	t.Helper()
	f := newFixture(t, frequency.Config{})
	f.snap = compileUnder(t, `{"caps":[`+caps+`]}`, specs...)
	f.users.KeepImpressions(keptBy(f.snap))
	return f
}

// keptBy returns for how long the caps of a snapshot count impressions of a popup.
func keptBy(snap *snapshot.Snapshot) func(id uint32) (ms int64) {
	return func(id uint32) (ms int64) {
		for i, c := range snap.Caps() {
			if snap.CapsOf(id)&(1<<i) != 0 {
				ms = max(ms, 1000*c.PerSec)
			}
		}
		return ms
	}
}

// restore has a user be in a state with a popup, which began a second ago.
func (f *fixture) restore(user string, id uint32, s popup.State) {
	f.Helper()
	s.ServedAtMS, s.ShownAtMS, s.AtMS = f.nowMS-1000, f.nowMS-1000, f.nowMS-1000
	if !f.users.Restore([]byte(user), id, s) {
		f.Fatal("no memory")
	}
}

func (f *fixture) advance(d time.Duration) { f.nowMS += d.Milliseconds() }

// sees decides for a user and fails the test unless the popup with this key, or
// nothing for "", is what the user sees.
func (f *fixture) sees(user, key string) {
	f.Helper()
	f.Decide(f.snap, f.users, &popup.Request{User: []byte(user)}, f.nowMS, f.limit)
	got := ""
	if len(f.Winners) > 0 {
		got = f.Winners[0].Popup.Key
	}
	if got != key {
		f.Fatalf("%s sees %q (%v), want %q", user, got, f.Reason, key)
	}
}

// because fails the test unless the latest decision has this reason.
func (f *fixture) because(want popup.Reason) {
	f.Helper()
	if len(f.Winners) > 0 || f.Reason != want {
		f.Errorf("nothing to show because of %v, want %v", f.Reason, want)
	}
}

// recorded fails the test unless these are the events of the latest decision.
func (f *fixture) recorded(want ...string) {
	f.Helper()
	var got []string
	for _, e := range f.Events {
		got = append(got, fmt.Sprintf("%s %s %d", e.User, e.Action, e.Popup))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		f.Errorf("events %q, want %q", got, want)
	}
}
