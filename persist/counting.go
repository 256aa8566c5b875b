package persist

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/popupd/popupd/popup"
)

// actedBit returns what an event of this action sets in impression.acted.
func actedBit(a popup.Action) uint8 {
	if a == popup.Control {
		return popup.ControlBit
	}
	return a.Bit()
}

// Bits of user_popup.ever: what the user did with the popup at some time.
const (
	everSaw       = 1
	everControl   = 2
	everClicked   = 4
	everConverted = 8
	everBits      = 4   // how many
	everKept      = 128 // of every row but those of versions that did not keep ever
)

// everBit returns the bit that an event sets if it counts. An impression that is not
// the user's first one says nothing: the first one, perhaps in another stream, does.
func everBit(e *popup.Event) uint8 {
	switch {
	case e.Action == popup.Impression && e.Nth <= 1:
		return everSaw
	case e.Action == popup.Control && e.Nth <= 1:
		return everControl
	case e.Action == popup.Click:
		return everClicked
	case e.Action == popup.Convert:
		return everConverted
	}
	return 0
}

// The upserts keep beside the new bits those from before, acted_before and
// ever_before. A row stays locked from its upsert to COMMIT, so the two queries below
// read them as this transaction left them, and no other transaction can be told that
// the same bit is new. They begin at the batch's rows of event, which are side by
// side, and look up one row for each that asks; they return those whose bit is old.
type countingQueries struct{ repeated, notFirst string }

// everAssignments keep ever and what it was before. A row that was made by a version
// without ever, which counted its user at the first impression, has none.
const everAssignments = "ever_before = ever | CASE WHEN ever = 0 AND impressions > 0 THEN 1 ELSE 0 END," +
	" ever = ever | NEW(ever) | CASE WHEN ever = 0 AND impressions > 0 THEN 1 ELSE 0 END"

func (d *dialect) countingQueries() countingQueries {
	const batch = " WHERE e.stream_no = ? AND e.seq >= ? AND e.seq <= ?"
	var acted []string
	for _, a := range []popup.Action{popup.Click, popup.Dismiss, popup.Convert, popup.View, popup.Release} {
		acted = append(acted, fmt.Sprintf("(e.action = %d AND (i.acted_before & %d) <> 0)", a, a.Bit()))
	}
	return countingQueries{
		repeated: "SELECT e.seq FROM event e" + d.join + "impression i ON i.user_id = e.user_id AND i.popup_id = e.popup_id" +
			" AND i.served_at_ms = e.served_at_ms" + batch + " AND (" + strings.Join(acted, " OR ") + ")",
		notFirst: "SELECT e.seq FROM event e" + d.join + "user_popup u ON u.user_id = e.user_id AND u.popup_id = e.popup_id" + batch +
			fmt.Sprintf(" AND ((e.action = %d AND e.nth <= 1 AND (u.ever_before & %d) <> 0)", popup.Impression, everSaw) +
			fmt.Sprintf(" OR (e.action = %d AND e.nth <= 1 AND (u.ever_before & %d) <> 0)", popup.Control, everControl) +
			fmt.Sprintf(" OR (e.action = %d AND (u.ever_before & %d) <> 0)", popup.Click, everClicked) +
			fmt.Sprintf(" OR (e.action = %d AND (u.ever_before & %d) <> 0))", popup.Convert, everConverted),
	}
}

// markRepeated marks the events whose action had been counted before this batch, in
// the batch and in event. Their rows, and those of impression, are inserted.
func (w *writer) markRepeated(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	var repeated []uint64
	err := w.eachSeq(ctx, conn, w.queries.repeated, events, func(i int) {
		if out := &w.sums.outcomes[i]; !out.repeated {
			out.repeated = true
			repeated = append(repeated, events[i].Seq)
		}
	})
	if err != nil {
		return fmt.Errorf("ask for repeated actions: %w", err)
	}
	for seqs := range slices.Chunk(repeated, maxMarked) {
		q := []byte("UPDATE event SET repeated = 1 WHERE stream_no = ? AND seq IN (")
		for i, seq := range seqs {
			if i > 0 {
				q = append(q, ',')
			}
			q = strconv.AppendUint(q, seq, 10)
		}
		if _, err := conn.ExecContext(ctx, string(append(q, ')')), w.no); err != nil {
			return fmt.Errorf("mark repeated actions: %w", err)
		}
	}
	return nil
}

// maxMarked is how many events one UPDATE marks. The statement is shorter than the
// shortest that is allowed.
const maxMarked = 2 * maxRowBytes / 25

// unmarkFirsts takes back what the batch claims to be a first time and is not: the
// store knew better before. The rows of user_popup are upserted.
func (w *writer) unmarkFirsts(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	err := w.eachSeq(ctx, conn, w.queries.notFirst, events, func(i int) { w.sums.outcomes[i].first = false })
	if err != nil {
		return fmt.Errorf("ask for first times: %w", err)
	}
	return nil
}

// eachSeq calls fn with the index of each event whose seq the query returns.
func (w *writer) eachSeq(ctx context.Context, conn *sql.Conn, query string, events []popup.Event, fn func(i int)) error {
	if len(w.sums.order) == 0 {
		return nil
	}
	rows, err := conn.QueryContext(ctx, query, w.no, events[0].Seq, events[len(events)-1].Seq)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		if err := rows.Scan(&seq); err != nil {
			return err
		}
		if i, found := slices.BinarySearchFunc(events, seq, func(e popup.Event, seq uint64) int { return cmp.Compare(e.Seq, seq) }); found {
			fn(i)
		}
	}
	return rows.Err()
}
