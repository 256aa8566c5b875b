// Package failpoint marks the moments at which the end of the process is hardest
// to survive, so that a test can have it end there:
//
//	go build -tags failpoint
//	FAILPOINT=journal.append.torn:17 ./popupd
//
// is killed, as by kill -9, in the middle of the 17th frame that it writes. In
// builds without the tag [Enabled] is a constant false and [Reach] is empty: no
// code is left of either.
//
//	point                      what has been done
//	journal.append.before      nothing
//	journal.append.torn        half of the frame is written
//	journal.append.written     all of it is; nobody was told
//	journal.append.done        the handler is about to be told
//	journal.stream.named       a new stream has its name, and no events
//	journal.spare.created      the next segment is allocated ahead
//	journal.roll.created       the next segment has its name, and no events
//	journal.trim.unlinked      a segment that is no longer needed was deleted
//	journal.discard.renamed    a stream that is no longer needed was renamed, to be deleted
//	ship.register.done         MySQL knows the stream, nothing was shipped
//	ship.push.before           elements were read from the journal
//	ship.push.done             Redis has them; the shipper has not seen its replies
//	ship.close.done            MySQL says that the stream is closed; its list is still there
//	count.look.done            the flusher has read elements
//	flush.progress.moved       the stream's progress is moved in an open transaction
//	flush.events.inserted      its events are inserted too; states and statistics are not
//	flush.commit.before        all of it is
//	flush.commit.sent          COMMIT is with MySQL; its reply was not read
//	flush.commit.done          it was
//	count.trim.before          the consumer knows that elements are counted
//	count.trim.done            they are trimmed from the list
//	dump.file.written          the users' state is in a temporary file
//	dump.old.renamed           the dump before is out of the way: there is none of the usual name
//	dump.file.renamed          the new one has the name, the directory is not synced
//	popups.file.written        the popups in force are in a temporary file
//	popups.file.renamed        it has the usual name, the directory is not synced
//	import.commit.before       all of an import is in an open transaction
package failpoint

// Point is one of these moments.
type Point string

const (
	JournalAppendBefore   Point = "journal.append.before"
	JournalAppendTorn     Point = "journal.append.torn"
	JournalAppendWritten  Point = "journal.append.written"
	JournalAppendDone     Point = "journal.append.done"
	JournalStreamNamed    Point = "journal.stream.named"
	JournalSpareCreated   Point = "journal.spare.created"
	JournalRollCreated    Point = "journal.roll.created"
	JournalTrimUnlinked   Point = "journal.trim.unlinked"
	JournalDiscardRenamed Point = "journal.discard.renamed"
	ShipRegisterDone      Point = "ship.register.done"
	ShipPushBefore        Point = "ship.push.before"
	ShipPushDone          Point = "ship.push.done"
	ShipCloseDone         Point = "ship.close.done"
	CountLookDone         Point = "count.look.done"
	FlushProgressMoved    Point = "flush.progress.moved"
	FlushEventsInserted   Point = "flush.events.inserted"
	FlushCommitBefore     Point = "flush.commit.before"
	FlushCommitSent       Point = "flush.commit.sent"
	FlushCommitDone       Point = "flush.commit.done"
	CountTrimBefore       Point = "count.trim.before"
	CountTrimDone         Point = "count.trim.done"
	DumpFileWritten       Point = "dump.file.written"
	DumpOldRenamed        Point = "dump.old.renamed"
	DumpFileRenamed       Point = "dump.file.renamed"
	PopupsFileWritten     Point = "popups.file.written"
	PopupsFileRenamed     Point = "popups.file.renamed"
	ImportCommitBefore    Point = "import.commit.before"
)

// Points returns all of them.
func Points() []Point {
	return []Point{
		JournalAppendBefore, JournalAppendTorn, JournalAppendWritten, JournalAppendDone,
		JournalStreamNamed, JournalSpareCreated, JournalRollCreated, JournalTrimUnlinked, JournalDiscardRenamed,
		ShipRegisterDone, ShipPushBefore, ShipPushDone, ShipCloseDone,
		CountLookDone, FlushProgressMoved, FlushEventsInserted, FlushCommitBefore, FlushCommitSent, FlushCommitDone,
		CountTrimBefore, CountTrimDone,
		DumpFileWritten, DumpOldRenamed, DumpFileRenamed, PopupsFileWritten, PopupsFileRenamed, ImportCommitBefore,
	}
}

// Variable is the environment variable that arms a point: its name, a colon, and
// at which passing.
const Variable = "FAILPOINT"
