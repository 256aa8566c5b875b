package persist

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// erased knows the users whose state was reset lately, and when: what they did
// up to then is stored without them, in whatever order it arrives.
type erased struct {
	mark   erasedMark
	stored map[string]int64 // user to at_ms, the rows of erasure
	batch  map[string]int64 // the resets of the batch being applied
}

// erasedMark changes when the rows of erasure do: ids are never used again.
type erasedMark struct{ count, sum int64 }

// refresh reads the rows if they have changed.
func (g *erased) refresh(ctx context.Context, conn *sql.Conn, mark erasedMark) error {
	if mark == g.mark && g.stored != nil {
		return nil
	}
	g.stored = nil
	rows, err := conn.QueryContext(ctx, "SELECT user_id, at_ms FROM erasure")
	if err != nil {
		return err
	}
	defer rows.Close()
	stored := map[string]int64{}
	for rows.Next() {
		var user string
		var at int64
		if err := rows.Scan(&user, &at); err != nil {
			return err
		}
		stored[user] = max(at, stored[user])
	}
	if err := rows.Err(); err != nil {
		return err
	}
	g.mark, g.stored = mark, stored
	return nil
}

// add notes the resets of a batch, instead of those of the batch before.
func (g *erased) add(events []popup.Event) {
	clear(g.batch)
	for i := range events {
		e := &events[i]
		if e.Action != popup.Reset {
			continue
		}
		if g.batch == nil {
			g.batch = map[string]int64{}
		}
		g.batch[string(e.User)] = max(e.AtMS, g.batch[string(e.User)])
	}
}

// covers reports whether the event's user was erased after it.
func (g *erased) covers(e *popup.Event) bool {
	if len(g.stored)+len(g.batch) == 0 {
		return false
	}
	if at, ok := g.stored[string(e.User)]; ok && e.AtMS <= at {
		return true
	}
	at, ok := g.batch[string(e.User)]
	return ok && e.AtMS <= at
}

// applyResets deletes the state that reset events are newer than, and leaves
// their rows in erasure.
func (w *writer) applyResets(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	var resets []*popup.Event
	for i := range events {
		if events[i].Action == popup.Reset {
			resets = append(resets, &events[i])
		}
	}
	for _, e := range resets {
		_, err := conn.ExecContext(ctx, "DELETE FROM user_popup WHERE user_id = ? AND last_action_ms <= ?", w.dialect.user(e.User), e.AtMS)
		if err != nil {
			return fmt.Errorf("reset user state: %w", err)
		}
	}
	ins := insertion{what: "queue erasures", head: "INSERT INTO erasure (user_id, at_ms, queued_ms, done_ms) VALUES "}
	now := w.now()
	return w.insert(ctx, conn, &ins, len(resets), func(r *row, i int) {
		r.text(resets[i].User)
		r.int(resets[i].AtMS)
		r.int(now)
		r.int(0)
	})
}
