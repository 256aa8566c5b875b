// Package queue carries events from the server that decides to MySQL, which
// commits each of them once, although every process in between may die at any
// moment and Redis may lose, repeat and reorder what it is given.
//
//	handler -> journal -> Shipper -> Redis list -> Consumer -> Sink (MySQL)
//	              ^                                              |
//	              +---------- trimmed by what is committed ------+
//
// The guarantee sits at the two ends. The journal is on disk and holds what is
// not yet committed. A progress row in MySQL says what is, and moves in the
// transaction that writes the events. Redis between them is a wire: it needs no persistence,
// and what it loses is sent again (go-back-N).
//
// Here live the protocol and what speaks it: the [Shipper], the [Consumer], and
// [Listen] and [Shipped], by which servers hear of each other. What is on disk, and
// the format of a frame, are package journal's; SQL is behind the interfaces [Ledger]
// and [Sink], and no driver is imported here.
//
// # Names
//
// A stream is the events of one start of one server, named by 16 random bytes.
// Nobody ever appends to the stream of an earlier start. Its events are numbered
// 1, 2, 3...: their seq. A [journal.Frame] is a run of consecutive events, the unit
// of the journal and of damage. A list element is one or more whole consecutive frames,
// byte for byte as they are on disk. last_seq, the stream's progress, is the seq
// up to which MySQL has committed.
//
// # Redis
//
//	{prefix}:q:{STREAM}  list of elements; the inner braces are literal, STREAM is 32 hex digits
//	{prefix}:events      channel; each element is also published, once, for other servers; an
//	                     empty message tells a server whether it hears what is published
//	{prefix}:probe       never there: a push to it tells whether Redis takes writes
//
// A list holds at most the window of its shipper. It is deleted with its stream,
// and expires a week after the last push.
//
// # The life of a stream
//
//	active    the server appends; its directory is locked
//	sealed    nothing will be appended: the server closed it, or has ended and
//	          another has taken the lock; what is left is drained from disk
//	committed sealed, last_seq >= its last event, its list empty
//	closed    the row says closed = 1 and the list is deleted; a hint, since whoever ships or
//	          flushes reopens it: a copied data directory must not strand a live stream
//	removed   deleted from disk, once a state dump covers it and the grace is over;
//	          sealed again if MySQL turns out to have less of it until then
//
// # The protocol
//
//  1. Append: the event is in a complete frame on disk before it is acknowledged.
//  2. Register: the progress row is there before anything is shipped. A stream
//     that MySQL does not know is never taken to stand at 0.
//  3. Ship: RPUSH in order, as long as what is pushed and not committed fits in the
//     window. What was sent is remembered in memory only.
//  4. Commit: LRANGE, verify, sort, drop what is committed, and take what follows
//     last_seq without a hole. One transaction: UPDATE last_seq = new WHERE
//     last_seq = old, which must hit one row; the events; COMMIT. Only then LTRIM
//     of the elements that hold nothing beyond last_seq. A gap frame is committed
//     like events, and leaves a row in dead_frame. After any error last_seq
//     is read again: it says what became of the transaction.
//  5. Check, each second: read the head of the list, then last_seq. If last_seq is
//     less than what was sent and the list is empty or begins after last_seq+1,
//     delete the list and send again from last_seq+1. The order matters: what
//     was trimmed before the head was read is in the last_seq read after it.
//  6. Trim: a segment leaves the disk when last_seq and a state dump are past it.
//
// # Why it holds
//
// (A) An acknowledged event is in a complete frame whose seq nobody else ever
// gets: streams are never continued, and what an append could not finish is cut
// off before the next.
//
// (B) last_seq = n exactly when events 1 to n are applied, once each, or declared
// lost: last_seq moves in the transaction that applies what lies between, and from
// the value that the batch was built on, so of several flushers one wins and the
// others' work is rolled back. A batch has no holes and nothing that is committed.
//
// (C) A frame leaves the disk only when it is committed: the journal trims by
// values of last_seq that were read from MySQL or are those of a commit that
// succeeded, never by what Redis has taken.
//
// (D) What Redis loses is sent again. Elements leave the front of a list, so a
// loss ends up there: once all before it is committed and trimmed, the list is
// empty or begins too late, which the check sees. What else could keep a stream
// from moving (a stream closed by another, an element only a newer server reads)
// is met by sending again after 10 s without progress, then after 20 s, and so on.
// What is in the list twice or out of order does no harm: the flusher sorts it out.
// An LTRIM by count may take too much after another flusher has trimmed; that is
// a loss like any other.
//
// (E) Everything is bounded: the disk by the quota, Redis by the windows, memory
// by the size of one look at a list for each stream at work.
//
// # Versions side by side
//
// A frame says which version is needed to read it (package journal). Where a flusher
// meets one that is too new for it, it commits what stands before, leaves the element
// in the list and looks again: the rest is for a newer flusher, which the server that
// ships the stream always is. Should that one be gone for good, the stream waits for
// the next newer server. A listener passes over such a frame.
//
// # Crashes
//
// What survives, and what the next start does. Redis may lose everything at each
// of these points as well; that changes nothing but that it is sent again.
//
//	before the frame is complete    not acknowledged, not in the journal: the torn tail is cut
//	complete, not acknowledged      in the journal: committed, although the client may not know
//	acknowledged                    in the journal: committed (the power fails too: since the last fsync)
//	RPUSH sent, no reply            in the list or not, or later: pushed again, sorted out by 4
//	LRANGE done                     nothing has changed
//	UPDATE and INSERTs done         rolled back by MySQL
//	COMMIT sent, no reply           done or not: last_seq tells
//	COMMIT done, before LTRIM       committed: the elements are dropped at the next look and trimmed
//	LTRIM done                      committed
//	list deleted, not sent again    the next start sends from last_seq+1
//	closed, not removed             drained again: opened, found to be committed, closed, removed
//	removed, not deleted            the same
//
// The model in model_test.go tries every order of these steps, with every fault
// in every place, for a few frames and two flushers.
package queue
