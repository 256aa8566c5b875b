// Package persist keeps popupd's truth in SQL: the catalog of popups with its
// history, the events with their users' state and hourly statistics, and how
// far each stream of events has been committed. SQL and the SQL drivers are in this
// package alone. It knows nothing of Redis, the journal or HTTP: what is committed,
// and when, is the caller's to say.
//
// One store code speaks to MySQL, MariaDB, Galera and TiDB on one side and to
// the SQLite file of the embedded default on the other; a [dialect] value holds
// the few spellings that differ. There are no triggers, foreign keys, stored
// code or named locks. Every change is one transaction at READ COMMITTED.
//
// # Committing events
//
// [DB.Flush] applies a batch of one stream in one transaction, which begins by
// moving the stream's progress with a compare-and-set:
//
//	UPDATE ingest_stream SET last_seq = :last WHERE stream_id = :s AND last_seq = :after
//
// Of two flushers of one stream the first takes the row's lock, the second
// waits and then hits no row. So last_seq = n means: exactly the events 1 to n
// have been applied, each once, or have a row in dead_frame. What survives a
// crash of the flusher, the connection or the server:
//
//	before the compare-and-set      nothing was done
//	between it and COMMIT           the server rolls back; an orphaned session, whose client is
//	                                gone without a word, holds the progress row for up to a
//	                                minute, or until the next flusher of this process ends it (KILL)
//	COMMIT sent, no answer          all or nothing: the caller reads Progress, which tells
//	COMMIT answered                 everything
//
// After any error but a deadlock the caller reads [DB.Progress] and goes on
// from there. Deadlocks are tried again here; so is an event that the store
// refuses for what it is (too long, out of range): it goes alone into
// dead_frame, its neighbours are applied.
//
// Between nodes of a Galera cluster no flusher waits for another's locks: of two that change
// the same row, whoever commits second fails with a deadlock and begins again. BEGIN waits
// for what other nodes have committed (driver.go), so that a flush on a node that lags does
// not miss a reset.
//
// At rest, per stream: COUNT(event) = last_seq - removed - SUM(last_seq -
// first_seq + 1 of its dead_frame rows).
//
// # Counting actions and users once
//
// The memory of a server decides what to show; the store decides what counts. The
// rows of impression, one a user, popup and time of serving, have a bit for each
// action that was done with it: an action counts if it sets its bit, in whichever
// stream it comes and however often. Otherwise its row of event has repeated = 1.
// In the same way user_popup.ever has a bit for each kind of thing that a user is
// counted for once. Before retention and erasure SUM(popup_stats) is COUNT(event
// WHERE repeated = 0), by action.
//
// A flush never reads before it writes: the upserts keep the bits from before beside
// the new ones, and the rows stay locked from then on. MariaDB returns the bits from
// the upserts; MySQL and SQLite are asked for them (counting.go). Rows are upserted in
// the order of their keys, table by table, those of user_popup first: whoever changes an
// impression has locked its user and popup.
//
// A goal counts for the first exposure in its window, a row of impression, once a user
// and popup; conversions with a token set the same bit of ever. It may be committed
// before its exposure: then it is kept in goal_pending, and the flush that brings the
// exposure counts it (goals.go). Where no goal is pending, a flush pays for that with a
// look at an empty table.
//
// # Experiments
//
// Users of experiments are counted behind the flush, by a pass over the rows of event
// (experimentpass.go). Its progress is a row of experiment_progress for each stream, which
// moves in the transaction that changes experiment_user, one row a user and popup, and
// experiment_count, the sums over these rows. Deciding is done there, too: a row of
// experiment_decision says when a variant was told apart first.
//
// # Retention and erasure
//
// event has no index but its primary key (stream_no, seq). Events are deleted once they are
// old and passed. Within a stream seq
// runs with time, so retention deletes from each stream's low end in small
// batches until no old row is left there, and adds their number to
// ingest_stream.removed in the same transaction. The statistics stay, but for
// popup_why_not (whynot.go): an estimate that servers add up, no count of events.
//
// A reset event voids the user's impressions of up to then, with whatever is done
// with them, before or after. It deletes their state, takes it out of what a server that
// had not heard of it added to (rebuild.go), and leaves a row in erasure. Run
// walks all streams in ranges of the primary key and empties the user id of the events
// of those impressions, many users in one walk. The row stays for a week more, during
// which flushers store such events (a late click, the journal of a server that was
// down) without the user and without state; of these only impressions count.
//
// # Audiences
//
// A list of users comes compiled, as bytes that say themselves whether they are whole. It
// is stored in chunks of half a MiB first; then one transaction gives it to its audience,
// with a new revision and the line of the audit trail, so that servers see the list of
// before or the new one. Popups and rules are checked for the audiences that they name in
// the transaction of their change, after the lock that every change of the catalog takes.
//
// # Export
//
// [DB.CountedEvents] reads the events that counted, stream by stream and by primary key.
// Each stream is committed without holes up to its last_seq, so a seq for each of them
// says what was read (cursor.go). What is committed does not change any more, but for
// pending goals and for users who are erased.
//
// # Clocks
//
// The clocks of servers may differ. Whether a stream is orphaned, a reset settled or
// an event older than the retention is told by the store's clock alone.
package persist
