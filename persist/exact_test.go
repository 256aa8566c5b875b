package persist

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// The large run: go test ./persist -run CountsAreExact -timeout 1h -args -exact.events=1000000
var exactEvents = flag.Int("exact.events", 20_000, "events of each run of TestCountsAreExact")

// exactSums are the sums of popup_stats by popup and variant, and the rows of impression
// with the bits that are set in them.
type exactSums struct {
	Stats       map[string]popup.Counts
	Impressions map[uint8]int64 // by acted, but for popup.GoalBit: which of several exposures has it is open
	Repeated    int64
}

// history is what some users did, in the order of time, and what it adds up to however
// it is delivered.
type history struct {
	events []popup.Event
	old    []stateKey // have a row of a version that did not keep ever: their users were counted
	want   exactSums
}

// makeHistory draws at least n events. Each pair of user and popup has one variant, some
// impressions or controls, of which more than one may claim to be the first since servers
// do not know of each other, and actions that are reported up to three times.
func makeHistory(r *rand.Rand, n int) *history {
	h := &history{want: exactSums{Stats: map[string]popup.Counts{}, Impressions: map[uint8]int64{}}}
	for user := 0; len(h.events) < n; user++ {
		for id := range uint32(2) {
			h.pair(r, fmt.Sprintf("user %d", user), id+1)
		}
	}
	slices.SortStableFunc(h.events, func(a, b popup.Event) int { return int(a.AtMS - b.AtMS) })
	return h
}

// pair adds what one user did with one popup.
func (h *history) pair(r *rand.Rand, user string, id uint32) {
	variant, kind := []string{"a", "b"}[r.IntN(2)], popup.Impression
	if r.IntN(6) == 0 {
		variant, kind = "control", popup.Control
	}
	key := fmt.Sprint(id, " ", variant)
	c := h.want.Stats[key]
	isOld := r.IntN(10) == 0
	if isOld {
		h.old = append(h.old, stateKey{user, id})
	}
	e := popup.Event{User: []byte(user), Popup: id, Version: 1, Variant: []byte(variant)}
	done := map[popup.Action]bool{}
	servedAtMS := startMS + r.Int64N(1000)
	for nth := range uint32(r.IntN(3) + 1) {
		servedAtMS += 1 + r.Int64N(1000)
		e.Action, e.AtMS, e.ServedAtMS, e.Nth = kind, servedAtMS, servedAtMS, nth+1
		if r.IntN(4) == 0 {
			e.Nth = 1
		}
		h.events = append(h.events, e)
		acted := uint8(0)
		if kind == popup.Impression {
			c.Impressions++
			if r.IntN(8) == 0 {
				h.events[len(h.events)-1].Nth, acted = 0, 64 // the page has to confirm it
			}
		} else {
			c.Controls++
			acted = 32
		}
		for bit, a := range map[uint8]popup.Action{1: popup.Click, 2: popup.Dismiss, 4: popup.Convert, 8: popup.View, 16: popup.Release} {
			if r.IntN(4) != 0 {
				continue
			}
			acted |= bit
			done[a] = true
			count(&c, a)
			for i := range r.Int64N(3) + 1 {
				e.Action, e.AtMS = a, servedAtMS+r.Int64N(2000)
				h.events = append(h.events, e)
				h.want.Repeated += min(i, 1)
			}
		}
		h.want.Impressions[acted]++
	}
	if !done[popup.Convert] && r.IntN(3) == 0 { // with both, what converts are depends on the order
		done[popup.Convert] = h.goals(r, e, &c)
	}
	switch {
	case kind == popup.Control:
		c.ControlUsers++
	case !isOld:
		c.Users++
	}
	if done[popup.Click] {
		c.ClickUsers++
	}
	if done[popup.Convert] {
		c.ConvertUsers++
	}
	h.want.Stats[key] = c
}

// goals adds goals of a user and popup whose last exposure is e, and reports whether one
// of them counts: that of which a window is with an exposure.
func (h *history) goals(r *rand.Rand, e popup.Event, c *popup.Counts) (counts bool) {
	e.Action, e.Variant, e.Nth = popup.Goal, nil, 0
	lastMS := e.ServedAtMS
	for range r.IntN(3) + 1 {
		in := r.IntN(4) != 0
		e.AtMS = lastMS + 1 + r.Int64N(500)
		e.ServedAtMS = e.AtMS // before which the window is over
		if in {
			e.ServedAtMS = lastMS - r.Int64N(2000)
		}
		h.events = append(h.events, e)
		h.want.Repeated++
		counts = counts || in
	}
	if counts {
		h.want.Repeated--
		c.Converts++
	}
	return counts
}

func count(c *popup.Counts, a popup.Action) {
	switch a {
	case popup.Click:
		c.Clicks++
	case popup.Dismiss:
		c.Dismisses++
	case popup.Convert:
		c.Converts++
	case popup.View:
		c.Views++
	case popup.Release:
		c.Releases++
	}
}

// Two servers flush two streams at the same time, whatever came in which order and to
// which of them, and each tries what the other one has done.
func TestCountsAreExact(t *testing.T) {
	n := *exactEvents
	if testing.Short() {
		n = min(n, 4000)
	}
	for name, deliver := range map[string]func(r *rand.Rand, events []popup.Event) (streams [2][]popup.Event){
		"as it happened": func(r *rand.Rand, events []popup.Event) [2][]popup.Event {
			return split(events, func(popup.Event) int { return r.IntN(2) })
		},
		"shuffled": func(r *rand.Rand, events []popup.Event) [2][]popup.Event {
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			return split(events, func(popup.Event) int { return r.IntN(2) })
		},
		"backwards, actions to another server": func(_ *rand.Rand, events []popup.Event) [2][]popup.Event {
			slices.Reverse(events)
			return split(events, func(e popup.Event) int {
				if e.Action.Bit() != 0 || e.Action == popup.Goal {
					return 1
				}
				return 0
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			count := func(t *testing.T, s *store, servers [2]*DB) {
				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				r := rand.New(rand.NewPCG(seed, 0))
				h := makeHistory(r, n)
				for _, k := range h.old {
					s.exec(t, "INSERT INTO user_popup (user_id, popup_id, impressions, last_impression_ms, acted, last_action, last_action_ms,"+
						" click_until_ms, next_at_ms) VALUES (?, ?, 1, 1, 0, 1, 1, 0, 0)", s.dialect.user([]byte(k.user)), k.popup)
				}
				streams := deliver(r, h.events)
				var flushing sync.WaitGroup
				for i, events := range streams {
					s.register(t, streamID(byte(i)))
					flushing.Go(func() {
						if err := flushAll(t, rand.New(rand.NewPCG(seed, uint64(i+1))), streamID(byte(i)), events, servers[i], servers[1-i]); err != nil {
							t.Error(err)
						}
					})
				}
				flushing.Wait()
				if d := cmp.Diff(h.want, s.exactSums(t)); d != "" {
					t.Errorf("sums (-want +got):\n%s", d)
				}
				for i, db := range servers {
					t.Logf("server %d met %v deadlocks", i, testutil.ToFloat64(db.metrics.errors[classDeadlock]))
				}
			}
			eachStore(t, func(t *testing.T, s *store) { count(t, s, [2]*DB{s.DB, s.open(t)}) })
			t.Run("mariadb without RETURNING", func(t *testing.T) {
				s := onMySQL(t)
				servers := [2]*DB{s.DB, s.open(t)}
				for _, db := range servers {
					db.withoutReturning()
				}
				count(t, s, servers)
				if s.flusher.writer.returning {
					t.Error("the server returned what it was not asked for")
				}
			})
		})
	}
}

func split(events []popup.Event, to func(popup.Event) int) (streams [2][]popup.Event) {
	for _, e := range events {
		i := to(e)
		streams[i] = append(streams[i], e)
	}
	return streams
}

// flushAll flushes a stream in batches of any size. Now and then the other server tries
// a batch that is done.
func flushAll(t *testing.T, r *rand.Rand, id popup.StreamID, events []popup.Event, db, other *DB) error {
	flush := func(db *DB, b *popup.Batch) error {
		return whileLocked(func() error { _, err := db.Flush(t.Context(), b); return err })
	}
	for after := uint64(0); after < uint64(len(events)); {
		n := min(uint64(r.IntN(2000)+1), uint64(len(events))-after)
		b := batchOf(id, after, events[after:after+n]...)
		if err := flush(db, b); err != nil {
			return err
		}
		after += n
		if r.IntN(4) != 0 {
			continue
		}
		if err := flush(other, b); !errors.Is(err, ErrConflict) {
			return fmt.Errorf("a batch that is done: Flush = %w, want %w", err, ErrConflict)
		}
	}
	return nil
}

// whileLocked tries again what waited too long for a lock, as package queue does: SQLite has
// no order of waiters, and one may wait for its 5 s while others write without a pause.
func whileLocked(try func() error) error {
	for {
		if err := try(); err == nil || classOf(err) != classLockWait {
			return err
		}
	}
}

func (s *store) exactSums(t testing.TB) exactSums {
	t.Helper()
	sums := exactSums{Stats: map[string]popup.Counts{}, Impressions: map[uint8]int64{}}
	sums.Repeated = s.number(t, "SELECT COUNT(*) FROM event WHERE repeated = 1")
	query := func(q string, row func(scan func(...any) error) error) {
		rows, err := s.raw.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	query("SELECT popup_id, variant, SUM(impressions), SUM(controls), SUM(clicks), SUM(dismisses), SUM(converts), SUM(views), SUM(releases),"+
		" SUM(users), SUM(click_users), SUM(convert_users), SUM(control_users) FROM popup_stats GROUP BY popup_id, variant", func(scan func(...any) error) error {
		var id uint32
		var variant string
		var c popup.Counts
		err := scan(&id, &variant, &c.Impressions, &c.Controls, &c.Clicks, &c.Dismisses, &c.Converts, &c.Views, &c.Releases,
			&c.Users, &c.ClickUsers, &c.ConvertUsers, &c.ControlUsers)
		sums.Stats[fmt.Sprint(id, " ", variant)] = c
		return err
	})
	query("SELECT acted & 127, COUNT(*) FROM impression GROUP BY acted & 127", func(scan func(...any) error) error {
		var acted uint8
		var n int64
		err := scan(&acted, &n)
		sums.Impressions[acted] = n
		return err
	})
	return sums
}
