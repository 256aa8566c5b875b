package persist

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// actedBit returns what an event sets in impression.acted.
func actedBit(e *popup.Event) uint8 {
	switch {
	case e.Action == popup.Control:
		return popup.ControlBit
	case e.Action == popup.Impression && e.Nth == 0:
		return popup.Unconfirmed
	}
	return e.Action.Bit()
}

// Bits of user_popup.ever: what the user did with the popup at some time.
const (
	everSaw       = 1
	everControl   = 2
	everClicked   = 4
	everConverted = 8   // or reached its goal
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

// everAssignments keep ever and what it was before. A row that was made by a version
// without ever, which counted its user at the first impression, has none; unless all it
// has is an action on the impression that is only now committed.
//
// One bit of ever_before is another one after each upsert, so that there is none that
// changes nothing: to a Galera cluster that would be no write, and it would let two
// transactions of two nodes pass that must see each other (see goal).
const everAssignments = "ever_before = ever | CASE WHEN ever = 0 AND impressions > 0 AND last_impression_ms <> NEW(last_impression_ms) THEN 1 ELSE 0 END" +
	" | 64 - (ever_before & 64)," +
	" ever = ever | NEW(ever) | CASE WHEN ever = 0 AND impressions > 0 THEN 1 ELSE 0 END"

// The upserts keep beside the new bits those from before, acted_before and
// ever_before. A row stays locked from its upsert to COMMIT, so they are as this
// transaction left them, and no other transaction is told that the same bit is new.
// MariaDB returns them from the upserts (RETURNING), which saves it a tenth of its
// time; other stores are asked for them.

// selectOld asks which of a batch's actions had been counted before, and which of the
// users it takes for new are not. It begins at the batch's rows of event, which are
// side by side, and looks up a row for each that asks, one or two.
func selectOld() string {
	acted, ever := "CASE e.action", "CASE e.action"
	for _, a := range []popup.Action{popup.Click, popup.Dismiss, popup.Convert, popup.View, popup.Release} {
		acted += fmt.Sprintf(" WHEN %d THEN %d", a, a.Bit())
	}
	for _, a := range []popup.Action{popup.Impression, popup.Control, popup.Click, popup.Convert} {
		ever += fmt.Sprintf(" WHEN %d THEN %d", a, everBit(&popup.Event{Action: a}))
	}
	return "SELECT e.seq, i.user_id IS NOT NULL, u.user_id IS NOT NULL FROM event e" +
		fmt.Sprintf(" LEFT JOIN impression i ON e.action NOT IN (%d, %d, %d, %d)", popup.Impression, popup.Control, popup.Reset, popup.Goal) +
		" AND i.user_id = e.user_id AND i.popup_id = e.popup_id AND i.served_at_ms = e.served_at_ms" +
		" AND (i.acted_before & " + acted + " END) <> 0" +
		fmt.Sprintf(" LEFT JOIN user_popup u ON (e.action IN (%d, %d) OR e.nth <= 1 AND e.action IN (%d, %d))",
			popup.Click, popup.Convert, popup.Impression, popup.Control) +
		" AND u.user_id = e.user_id AND u.popup_id = e.popup_id AND (u.ever_before & " + ever + " END) <> 0" +
		" WHERE e.stream_no = ? AND e.seq >= ? AND e.seq <= ? AND (i.user_id IS NOT NULL OR u.user_id IS NOT NULL)"
}

// correctOutcomes asks a store without RETURNING for what it knew before this batch, and
// corrects the outcomes by it, also in the rows of event. All rows of events and users
// are written.
func (w *writer) correctOutcomes(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	if len(w.sums.order) == 0 {
		return nil
	}
	rows, err := conn.QueryContext(ctx, w.selectOld, w.no, events[0].Seq, events[len(events)-1].Seq)
	if err != nil {
		return fmt.Errorf("ask for what was counted before: %w", err)
	}
	defer rows.Close()
	var repeated []uint64
	for rows.Next() {
		var seq uint64
		var isRepeated, isKnown bool
		if err := rows.Scan(&seq, &isRepeated, &isKnown); err != nil {
			return fmt.Errorf("ask for what was counted before: %w", err)
		}
		i, found := slices.BinarySearchFunc(events, seq, func(e popup.Event, seq uint64) int { return cmp.Compare(e.Seq, seq) })
		if !found {
			continue
		}
		out := &w.sums.outcomes[i]
		if isRepeated && !out.repeated {
			out.repeated = true
			repeated = append(repeated, seq)
		}
		if isKnown {
			out.first = false
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("ask for what was counted before: %w", err)
	}
	return w.markRepeated(ctx, conn, repeated)
}

// maxMarked is how many events one UPDATE marks. The statement is shorter than the
// shortest that is allowed.
const maxMarked = 2 * maxRowBytes / 25

func (w *writer) markRepeated(ctx context.Context, conn *sql.Conn, repeated []uint64) error {
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
