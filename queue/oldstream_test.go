package queue

import (
	"slices"
	"testing"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/popup"
)

// TestOldStream leaves events behind in a journal that the next start finds.
func TestOldStream(t *testing.T) {
	eachRedis(t, func(t *testing.T, client rueidis.Client) {
		r := newRig(t, client)
		r.startJournal()
		r.startShipper()
		r.append(3000, 50)
		r.waitShipped()
		old, users := r.id, r.users
		oldKey := r.key()
		r.stop()
		r.do("FLUSHALL") // so that it must come from disk

		r.open()
		r.startJournal()
		r.startShipper()
		r.startConsumer()
		r.append(500, 50)
		// A test beside this one that forks keeps the old stream locked for a
		// moment, so it may be adopted a little later.
		await(t, "the old stream closed", func() bool { return r.store.closed(old) })
		r.verify(old, users)
		r.waitDrained()
		await(t, "the old stream removed", func() bool { return len(r.journal.Streams()) == 1 })
		if n, err := r.do("EXISTS", oldKey).AsInt64(); err != nil || n != 0 {
			t.Errorf("the old stream's key is still there: %d, %v", n, err)
		}
		if r.store.closed(r.id) {
			t.Error("the stream that is being written was closed")
		}
	})
}

// TestOrderlyEnd closes the journal, waits, and leaves nothing behind.
func TestOrderlyEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.startJournal()
	r.startShipper()
	r.startConsumer()
	r.append(1000, 50)
	if err := r.journal.Close(); err != nil {
		t.Fatal(err)
	}
	r.waitDrained()
	await(t, "stream given up", func() bool { return len(r.journal.Streams()) == 0 })
	if !r.store.closed(r.id) {
		t.Error("the stream was not closed")
	}
}

// TestEmptyStream is not worth a row.
func TestEmptyStream(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.startJournal()
	r.startShipper()
	if !r.shipper.Drained() {
		t.Error("nothing was appended and it is not drained")
	}
	if err := r.journal.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "stream given up", func() bool { return len(r.journal.Streams()) == 0 })
	if n := len(r.store.streams()); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// TestStoreGoesBack restores MySQL to an earlier state. What is missing is sent
// again, and what the journal no longer has of it is declared lost.
func TestStoreGoesBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		more    int  // events that follow; with none it is noticed a little later
		trimmed bool // the journal has let go of what was committed
		back    func(r *rig)
		kept    int // events that MySQL still counts
	}{
		{"what is missing is on disk", 100, false, func(r *rig) { r.store.rewind(r.id, 4990) }, 4990},
		{"nothing follows", 0, false, func(r *rig) { r.store.rewind(r.id, 4990) }, 4990},
		{"what is missing is partly gone", 100, true, func(r *rig) { r.store.rewind(r.id, 10) }, 10},
		{"the row is gone", 100, true, func(r *rig) { r.store.forget(r.id) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, inProcess(t))
			r.startJournal()
			r.startShipper()
			r.startConsumer()
			r.append(5000, 50) // several segments
			r.waitDrained()
			if c.trimmed {
				r.journal.Covered(r.journal.Positions())
				stream := r.journal.Streams()[0]
				await(t, "a segment trimmed", func() bool { return stream.First() > 20 })
			}
			c.back(r)
			r.append(c.more, 50)
			await(t, "committed", func() bool { return len(r.store.committed(r.id)) == len(r.users) })
			want := slices.Clone(r.users)
			if c.trimmed {
				got := r.store.committed(r.id)
				end := c.kept
				for end < len(got) && got[end] == "" {
					end++
				}
				if end == c.kept || end > 5000 {
					t.Fatalf("declared lost: %d to %d", c.kept+1, end)
				}
				clear(want[c.kept:end])
			}
			r.verify(r.id, want)
		})
	}
}

// TestStoreGoesBackBeforeAnEnd restores MySQL to before a stream had ended and was
// given up: as long as the journal keeps it, it is sent again.
func TestStoreGoesBackBeforeAnEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		back func(r *rig, id popup.StreamID)
	}{
		{"the row is behind", func(r *rig, id popup.StreamID) { r.store.rewind(id, 10) }},
		{"the row is gone", func(r *rig, id popup.StreamID) { r.store.forget(id) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, inProcess(t))
			r.startJournal()
			r.startShipper()
			r.startConsumer()
			r.append(500, 50)
			r.waitDrained()
			old, users := r.id, r.users
			r.stop()
			r.open()
			r.startJournal()
			r.startShipper()
			r.startConsumer()
			for range 2 { // and once more, when it has been given up again
				await(t, "the old stream given up", func() bool { return r.store.closed(old) && len(r.journal.Streams()) == 1 })
				c.back(r, old)
				await(t, "committed again", func() bool { return len(r.store.committed(old)) == len(users) })
				r.verify(old, users)
			}
		})
	}
}

// TestReopened has somebody else close the stream, from a copy of the data
// directory: whoever ships into it opens it again.
func TestReopened(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.startJournal()
	r.startShipper()
	stop := r.startConsumer()
	r.append(100, 50)
	r.waitDrained()
	stop()
	if err := r.store.CloseStream(t.Context(), r.id); err != nil {
		t.Fatal(err)
	}
	r.append(100, 50)
	r.waitShipped()
	r.do("DEL", r.key()) // as its finish does
	await(t, "stream open again", func() bool { return !r.store.closed(r.id) })
	r.startConsumer()
	r.waitDrained()
}

// TestManyOldStreams share a window.
func TestManyOldStreams(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.window = 4 * leastWindow
	type old struct {
		key   string
		users []string
	}
	streams := make(map[string]old)
	for range 6 {
		r.append(10_000, 200) // more than leastWindow
		streams[r.id.String()] = old{r.key(), r.users}
		r.stop()
		r.open()
	}
	r.startJournal()
	r.startShipper()
	most := 0
	await(t, "all shipped as far as they may", func() bool {
		held, full := 0, 0
		for _, o := range streams {
			n := 0
			elements, err := r.do("LRANGE", o.key, "0", "-1").AsStrSlice()
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range elements {
				n += len(e)
			}
			held += n
			if n >= leastWindow {
				full++
			}
		}
		most = max(most, held)
		return full == len(streams)
	})
	if limit := len(streams) * (leastWindow + elementBytes); most > limit {
		t.Errorf("%d bytes of old streams in Redis, want at most %d", most, limit)
	}
	r.startConsumer()
	await(t, "all old streams removed", func() bool { return len(r.journal.Streams()) == 1 })
	for _, id := range r.store.streams() {
		if o, ok := streams[id.String()]; ok {
			r.verify(id, o.users)
			delete(streams, id.String())
		}
	}
	if len(streams) > 0 {
		t.Errorf("%d streams were not committed", len(streams))
	}
}
