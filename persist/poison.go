package persist

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// refusal is an event that the store does not take, and why.
type refusal struct {
	event  *popup.Event
	reason string
}

// bisect applies events of which the store refuses some for what they are: each
// half on its own, inside the same transaction, down to single events. Those
// refused are set aside and leave no trace but their row in dead_frame.
func (w *writer) bisect(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	if len(events) == 0 {
		return nil
	}
	if _, err := conn.ExecContext(ctx, "SAVEPOINT half"); err != nil {
		return fmt.Errorf("set savepoint: %w", err)
	}
	err := w.apply(ctx, conn, events)
	if err == nil {
		if _, err := conn.ExecContext(ctx, "RELEASE SAVEPOINT half"); err != nil {
			return fmt.Errorf("release savepoint: %w", err)
		}
		return nil
	}
	if classOf(err) != classData {
		return err
	}
	if _, rollbackErr := conn.ExecContext(ctx, "ROLLBACK TO SAVEPOINT half"); rollbackErr != nil {
		return fmt.Errorf("roll back to savepoint: %w", rollbackErr)
	}
	if len(events) == 1 {
		w.refused = append(w.refused, refusal{&events[0], clip(err.Error(), maxReason)})
		return nil
	}
	half := len(events) / 2
	if err := w.bisect(ctx, conn, events[:half]); err != nil {
		return err
	}
	return w.bisect(ctx, conn, events[half:])
}

// insertDead keeps the refused events, without the bytes of users who asked to
// be erased.
func (w *writer) insertDead(ctx context.Context, conn *sql.Conn) error {
	refused := w.refused
	ins := insertion{what: "insert dead frames", head: insertDeadFrame}
	return w.insert(ctx, conn, &ins, len(refused), func(r *row, i int) {
		e := refused[i].event
		var b []byte
		if !w.erased.covers(e) {
			b = e.Append(nil)
		}
		w.putDead(r, e.Seq, e.Seq, b, refused[i].reason)
	})
}
