package persist

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	// exportBatch is how many events are read at a time.
	exportBatch = 1000
	// exportFor is how long one call reads. A reader goes on from the cursor.
	exportFor = 20 * time.Second
	// exportSettle is how old an event is when it is exported. The clock of its server may
	// be this much ahead; one that is further ahead says nothing of the event's age.
	exportSettle = time.Minute
)

// CountedEvents reads what was counted, and resets, after a cursor that it gave, or from
// the beginning after an empty one: at most limit events, in order within a stream. It
// calls send for a batch at a time, with the cursor behind it, at last once with what it
// has read without finding any. The events belong to send only until it returns. Fewer
// than limit events say that there are no more at present, or that the time was up.
//
// Nothing is left out or repeated, as long as a reader goes on from the last cursor that
// it has got, while events are committed and streams appear. What does not count yet but
// may still is not passed by: a goal that is pending holds back what follows it in its
// stream. Events that the retention has deleted are gone.
//
// It returns [popup.ErrCursor] for a text that is no cursor, and [popup.ErrCursorLost] if
// the cursor does not tell any more what was read.
func (db *DB) CountedEvents(ctx context.Context, after string, limit int, send func(events []popup.CountedEvent, cursor string) error) error {
	from, err := decodeCursor(after)
	if err != nil {
		return err
	}
	x, err := db.openExport(ctx, from)
	if err != nil {
		return err
	}
	sent := ""
	for until := time.Now().Add(exportFor); limit > 0 && time.Now().Before(until); {
		s := x.turn()
		if s == nil {
			break
		}
		events, err := x.read(ctx, s, limit)
		if err != nil {
			return fmt.Errorf("read events of stream %d: %w", s.no, err)
		}
		if len(events) == 0 {
			continue
		}
		limit -= len(events)
		sent = x.cursor()
		if err := send(events, sent); err != nil {
			return err
		}
	}
	if last := x.cursor(); last != sent {
		return send(nil, last)
	}
	return nil
}

// export is a pass through the streams. It takes a batch of each in turn, so that a busy
// one does not keep a reader from the others.
//
// It needs no transaction. A stream's events up to last_seq are all there; of those, the
// ones that are pending, read after last_seq, may still change. Whatever was decided in
// between is seen, since the events are read last.
type export struct {
	db      *DB
	nowMS   int64          // by the store's clock
	streams []exportStream // by number
	at      int            // in streams: whose turn it is
	keys    map[uint32]string
	resets  map[string]int64 // see storedResets

	events []popup.CountedEvent
}

type exportStream struct {
	no    uint32
	last  uint64 // last_seq
	until uint64 // last, or before what is held back
	pos   uint64 // up to which it was read
	quiet bool   // it has not moved for long
	done  bool
}

func (db *DB) openExport(ctx context.Context, from cursor) (*export, error) {
	x := &export{db: db}
	if err := x.readStreams(ctx); err != nil {
		return nil, fmt.Errorf("list streams: %w", err)
	}
	if err := x.resume(from); err != nil {
		return nil, err
	}
	if err := x.holdPending(ctx); err != nil {
		return nil, fmt.Errorf("read pending goals: %w", err)
	}
	if err := x.readKeys(ctx); err != nil {
		return nil, fmt.Errorf("read keys of popups: %w", err)
	}
	var err error
	if x.resets, err = storedResets(ctx, db.read); err != nil {
		return nil, fmt.Errorf("read resets: %w", err)
	}
	return x, nil
}

func (x *export) readStreams(ctx context.Context) error {
	var err error
	if x.nowMS, err = x.db.storeNow(ctx); err != nil {
		return err
	}
	rows, err := x.db.read.QueryContext(ctx, "SELECT stream_no, last_seq, updated_ms FROM ingest_stream ORDER BY stream_no")
	if err != nil {
		return err
	}
	x.streams, err = collect(rows, func(r scanner) (s exportStream, err error) {
		var updatedMS int64
		err = r.Scan(&s.no, &s.last, &updatedMS)
		s.until, s.quiet = s.last, updatedMS <= x.nowMS-forgottenAfter.Milliseconds()
		return s, err
	})
	return err
}

// resume sets the streams' positions. If one stream of the runs has moved, the total says
// how far; of several it does not.
func (x *export) resume(from cursor) error {
	var total uint64
	var moved []*exportStream
	known := 0
	for i := range x.streams {
		s := &x.streams[i]
		if !from.inRun(s.no) {
			if s.pos = from.position(s.no); s.pos > 0 {
				known++
			}
			if s.pos > s.last {
				return popup.ErrCursorLost
			}
			continue
		}
		s.pos = s.last
		total += s.last
		if !s.quiet {
			moved = append(moved, s)
		}
	}
	if known != len(from.positions) || total < from.total { // a database that was restored
		return popup.ErrCursorLost
	}
	if grown := total - from.total; grown > 0 {
		if len(moved) != 1 || grown > moved[0].last {
			return popup.ErrCursorLost
		}
		moved[0].pos -= grown
	}
	x.at, _ = slices.BinarySearchFunc(x.streams, from.first, func(s exportStream, no uint32) int { return cmp.Compare(s.no, no) })
	return nil
}

// holdPending ends streams before their first pending goal.
func (x *export) holdPending(ctx context.Context) error {
	rows, err := x.db.read.QueryContext(ctx, "SELECT stream_no, MIN(seq) FROM goal_pending GROUP BY stream_no")
	if err != nil {
		return err
	}
	held, err := collect(rows, func(r scanner) (p position, err error) {
		err = r.Scan(&p.no, &p.seq)
		return p, err
	})
	for _, p := range held {
		i, found := slices.BinarySearchFunc(x.streams, p.no, func(s exportStream, no uint32) int { return cmp.Compare(s.no, no) })
		if found {
			x.streams[i].until = min(x.streams[i].until, p.seq-1)
		}
	}
	return err
}

func (x *export) readKeys(ctx context.Context) error {
	rows, err := x.db.read.QueryContext(ctx, "SELECT id, `key` FROM popups")
	if err != nil {
		return err
	}
	defer rows.Close()
	x.keys = map[uint32]string{}
	for rows.Next() {
		var id uint32
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		x.keys[id] = key
	}
	return rows.Err()
}

// turn returns the next stream that may have more, or nil.
func (x *export) turn() *exportStream {
	for range x.streams {
		s := &x.streams[x.at%len(x.streams)]
		x.at = (x.at + 1) % len(x.streams)
		if !s.done && s.pos < s.until {
			return s
		}
	}
	return nil
}

// read reads the next batch of a stream, at most limit events that counted.
func (x *export) read(ctx context.Context, s *exportStream, limit int) ([]popup.CountedEvent, error) {
	rows, err := x.db.read.QueryContext(ctx, "SELECT seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated FROM event"+
		" WHERE stream_no = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?", s.no, s.pos, s.until, exportBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	x.events = x.events[:0]
	n := 0
	for rows.Next() {
		e := popup.CountedEvent{StreamNo: s.no}
		var repeated bool
		if err := rows.Scan(&e.Seq, &e.AtMS, &e.User, &e.PopupID, &e.Version, &e.Variant, &e.Action, &e.ServedAtMS, &e.Nth, &repeated); err != nil {
			return nil, err
		}
		if age := x.nowMS - e.AtMS; -exportSettle.Milliseconds() < age && age < exportSettle.Milliseconds() {
			s.done = true
			return x.events, nil
		}
		n++
		s.pos = e.Seq
		if repeated {
			continue
		}
		if resetMS, ok := x.resets[e.User]; ok && e.ServedAtMS <= resetMS { // its row is yet to be emptied
			e.User = ""
		}
		e.Popup = x.keys[e.PopupID]
		if x.events = append(x.events, e); len(x.events) == limit {
			return x.events, nil
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n < exportBatch { // what is missing was removed, or never came
		s.pos, s.done = s.until, true
	}
	return x.events, nil
}

// cursor returns the cursor behind what was read.
func (x *export) cursor() string {
	var c cursor
	if len(x.streams) > 0 {
		c.first = x.streams[x.at%len(x.streams)].no
	}
	inRun := false
	for i := range x.streams {
		s := &x.streams[i]
		switch {
		case s.quiet && s.pos == s.last && inRun:
			c.runs[len(c.runs)-1].to = s.no
			c.total += s.last
		case s.quiet && s.pos == s.last:
			c.runs = append(c.runs, run{s.no, s.no})
			c.total += s.last
			inRun = true
		default:
			inRun = false
			if s.pos > 0 {
				c.positions = append(c.positions, position{s.no, s.pos})
			}
		}
	}
	return c.encode()
}
