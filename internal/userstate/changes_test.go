package userstate

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

// TestRandomChanges: whatever other servers do, and whatever of it is missed, a server
// that restores by change knows all that a full restore finds.
func TestRandomChanges(t *testing.T) { randomChanges(t, false) }

// TestRandomChangesOfHeld: likewise of the users whom a server holds. Others are looked up
// now and then, and leave memory when nothing of them is uncommitted.
func TestRandomChangesOfHeld(t *testing.T) { randomChanges(t, true) }

func randomChanges(t *testing.T, heldOnly bool) {
	steps := 400
	if testing.Short() {
		steps = 150
	}
	reads := map[string]int{} // of all seeds: one alone may meet no reason to read all
	for _, seed := range []uint64{1, 2, rand.Uint64()} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			c := newCluster(t, seed)
			c.heldOnly = heldOnly
			addStream := func() {
				var id popup.StreamID
				for i := range id {
					id[i] = byte(c.r.Uint32())
				}
				c.streams = append(c.streams, &stream{id: id})
			}
			addStream()
			addStream()
			c.saveDatabase()
			c.start()
			for step := range steps {
				if heldOnly {
					c.lookUpOrForget()
				}
				switch n := c.r.IntN(40); {
				case n < 12:
					c.ship(true)
				case n < 16:
					c.ship(false)
				case n < 24:
					c.commit(c.some(), 1+c.r.IntN(8))
				case n < 29:
					c.serve()
				case n < 31:
					c.save()
				case n == 31:
					addStream()
				case n == 32:
					c.retain(c.some())
				case n == 33:
					c.saveDatabase()
				case n == 34 && step%3 == 0:
					c.restoreDatabase()
				case n < 37:
					read, _ := c.read()
					reads[read]++
					c.check(fmt.Sprintf("step %d, read %s", step, read))
				default:
					if c.r.IntN(2) == 0 {
						c.save()
					}
					c.stop()
					read := c.start()
					reads[read]++
					c.check(fmt.Sprintf("step %d, started, read %s", step, read))
				}
			}
			c.stop()
			t.Log(reads)
			for _, s := range slices.Concat(c.streams, c.own) {
				c.commit(s, len(s.events))
			}
			c.start()
			c.check("at the end")
			if heldOnly && (c.lookedUp == 0 || c.forgotten == 0) {
				t.Errorf("%d users were looked up, %d forgotten; want some", c.lookedUp, c.forgotten)
			}
		})
	}
	if reads["changes"] == 0 || len(reads) < 2 {
		t.Errorf("reads %v: want changes, and a reason to read all", slices.Collect(maps.Keys(reads)))
	}
}

// TestRestartReadsChanges: after a restart the server knows what another one has shown
// meanwhile, and has not read the whole table for it.
func TestRestartReadsChanges(t *testing.T) {
	c := newCluster(t, 1)
	const rows = 20_000
	c.exec("INSERT INTO user_popup (user_id, popup_id, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms)"+
		" SELECT CONCAT('old', seq), 1, 1, ?, ?, 0, 1, ?, 0, ? FROM seq_1_to_20000", c.now, c.now, c.now, c.now+86_400_000)
	other := &stream{id: popup.StreamID{9}}
	c.streams = []*stream{other}
	c.state = c.server(false)
	c.state.Connect(openJournal(t, filepath.Join(c.dir, "journal")), nil)
	c.ship(true)
	c.commit(other, len(other.events))
	if read, states := c.read(); read != "all, nothing is known yet" || states <= rows {
		t.Errorf("the first start reads %q, %d states", read, states)
	}
	if !c.state.save() {
		t.Fatal("no dump")
	}
	c.stop()
	before := len(other.events)
	c.ship(false)
	c.ship(false)
	c.commit(other, len(other.events))
	if read := c.start(); read != "changes" {
		t.Errorf("the second start reads %q", read)
	}
	c.check("started again")
	if read, states := c.read(); read != "changes" || states != 0 {
		t.Errorf("then it reads %q, %d states; want nothing more", read, states)
	}
	if n := len(other.events) - before; n == 0 || len(c.state.known.streams) != 1 {
		t.Errorf("%d events since, %d streams", n, len(c.state.known.streams))
	}
}

// TestDatabaseOfThePast: where less is committed than was, a server that has forgotten what
// was looks users up again, and has what its journal and others ship once more.
func TestDatabaseOfThePast(t *testing.T) {
	c := newCluster(t, 1)
	c.heldOnly = true
	other := &stream{id: popup.StreamID{9}}
	c.streams = []*stream{other}
	c.saveDatabase()
	c.start()
	for range 20 {
		c.serve()
		c.ship(true)
	}
	for _, s := range []*stream{other, c.own[0]} {
		c.commit(s, len(s.events))
	}
	c.lookUp(40)
	c.read()
	pass := func() {
		for range 200 {
			c.state.endEpoch(t.Context(), &c.epochs)
		}
		for range 100 {
			c.state.table.Sweep(c.now)
		}
	}
	pass()
	for len(c.state.behind) > 0 { // it was only told of what others ship
		<-c.state.behind
	}
	if n := c.remembered(); n > len(c.pendingResets())+5 {
		t.Fatalf("%d users are remembered of whom all is committed", n)
	}
	c.lookUp(40)
	c.bringBack()
	c.state.endEpoch(t.Context(), &c.epochs)
	if len(c.state.behind) != 1 || !strings.Contains(c.log.String(), "of the past") {
		t.Errorf("nobody asks the database of the past:\n%s", &c.log)
	}
	if read, _ := c.read(); !strings.HasPrefix(read, "users when they poll") || c.state.table.HeldUsers() != 0 {
		t.Errorf("it reads %q, and %d users are held", read, c.state.table.HeldUsers())
	}
	pass()
	c.commit(other, len(other.events)) // while nobody hears of it
	c.read()
	c.commit(c.own[0], len(c.own[0].events))
	c.check("after the database was of the past")
}

// TestReadOnce: a start reads the database once, also where what other servers ship is
// heard meanwhile; a subscription that comes late asks for the changes only.
func TestReadOnce(t *testing.T) {
	c := newCluster(t, 1)
	other := &stream{id: popup.StreamID{9}}
	for n := range uint64(9) {
		other.events = append(other.events, c.event())
		other.events[n].Seq = n + 1
	}
	c.commit(other, 6)
	reads := func() int { return bytes.Count(c.log.Bytes(), []byte("users' state restored")) }
	for _, late := range []bool{false, true} {
		dir := t.TempDir()
		c.log.Reset()
		s := New(Config{
			Database: c.db, Table: frequency.New(frequency.Config{}), Dump: filepath.Join(dir, "state"),
			Now: func() int64 { return c.now }, Log: slog.New(slog.NewJSONHandler(&c.log, nil)),
			Shipped: func(_ context.Context, _ func(*popup.Event), onFrame func(popup.StreamID, uint64, uint64)) error {
				onFrame(other.id, 7, 9) // what is before is committed
				return nil
			},
		})
		s.Connect(openJournal(t, filepath.Join(dir, "journal")), follow.New(snapshot.NewStore(), follow.Config{
			Source: onePopup{}, File: filepath.Join(dir, "popups"), OnSwap: s.SetPopups, Now: s.now,
		}))
		if !late {
			s.Subscribed(true)
			s.Heard(other.id, 8, 9)
		}
		if caughtUp, err := s.Restore(t.Context()); !caughtUp || err != nil {
			t.Fatal(caughtUp, err)
		}
		if n := reads(); n != 1 || len(s.behind) > 0 {
			t.Errorf("%d reads at start, another one is asked for: %v\n%s", n, len(s.behind) > 0, &c.log)
		}
		if !late {
			continue
		}
		s.Subscribed(true)
		if len(s.behind) == 0 {
			t.Error("a subscription asks for nothing")
		}
		c.log.Reset()
		if err := s.mergeMissed(t.Context()); err != nil || !bytes.Contains(c.log.Bytes(), []byte(`"read":"changes"`)) || s.peers.lag() > 0 {
			t.Errorf("a late subscription: %v, lag %v\n%s", err, s.peers.lag(), &c.log)
		}
		s.Heard(other.id, 11, 11)
		if len(s.behind) == 0 || s.peers.lag() == 0 {
			t.Error("a hole in what is heard asks for nothing")
		}
	}
}
