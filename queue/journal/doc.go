// Package journal keeps events on disk until MySQL has committed them. It is one
// end of the pipeline that package queue describes: what [Journal.Append] has
// accepted survives kill -9 and, once synced, a power failure.
//
// Here live the frame, which is also the unit on the wire, and everything that
// reads, writes, recovers, trims and deletes files of events. Nothing here knows
// of Redis, MySQL or package queue: who ships and who commits tells the journal
// through [Stream.Ack], [Stream.Remove] and [Stream.Revive].
//
// # Frame
//
// A stream is the events of one start of one server, named by 16 random bytes.
// Its events are numbered 1, 2, 3...: their seq. A [Frame] is a run of consecutive
// events, whole or damaged as one. Little endian:
//
//	0  magic    "popf"
//	4  version  uint8, the lowest that allows its events' actions: 1 up to popup.Control,
//	            2 up to popup.Release, 3 up to popup.Goal
//	5  flags    uint8, 1 = gap
//	6  reserved uint16, 0
//	8  stream   16 bytes
//	24 first    uint64, seq of the first event
//	32 count    uint32
//	36 len      uint32, of the payload
//	40 payload  count events as package popup encodes them; none in a gap
//	   crc32c   uint32, of everything before it
//
// A gap frame declares count events lost: to damage on disk, or because MySQL was
// restored to a state so old that the journal no longer has what follows it.
//
// All versions have one layout. A later one tells a server that does not know it to
// leave the frame alone: an action it does not know it would take for damage. All
// other frames are of version 1, so that it can read them. A frame of a version that
// is not known is whole and not understood: it is left where it is for a newer
// server, and so is a whole stream on disk that holds one.
//
// # Files
//
//	DIR/STREAM/             one directory a stream; STREAM is 32 hex digits
//	    lock                locked by the process that writes or drains the stream
//	    N.seg               segment: whole frames from seq N (20 digits) on, then zeroes
//	    spare               the next segment, allocated ahead and not yet named
//	    N.seg.bad           damaged segment: its whole frames are still read from it
//	DIR/.new-STREAM/        a stream that is being made, not yet one
//	DIR/.gone-STREAM/       a stream that is being deleted, no longer one
//	DIR/STREAM.bad/         the damaged segments of a deleted stream, for somebody to look at
//
// # The life of a stream
//
//	active    the server appends; the lock is held
//	sealed    nothing will be appended: the server closed it or met an error of the
//	          disk, or it has ended and another process adopted the stream
//	removed   sealed, all of it committed, given up by [Stream.Remove]: kept until a
//	          state dump covers it and the grace is over; [Stream.Revive] makes it sealed again
//	deleted   its directory is gone, or holds damaged segments only
//
// # Systems
//
// On Linux a segment is allocated and mapped where the file system can do both, and
// written with write(2) elsewhere; every other system has write(2) alone. Where a
// directory with open files cannot be renamed (Windows) a stream has its name from
// the start, and is unlocked before it is deleted. The tests run both ways on Linux.
//
// # Crashes
//
// What the next start finds, whichever step the process was killed in.
//
//	directory made, not renamed     .new-STREAM is deleted when it is a minute old
//	renamed, no events              an empty stream: adopted and given up
//	before the frame is complete    not acknowledged, not in the journal: the torn tail is cut off
//	complete, not acknowledged      in the journal, although the client may not know
//	acknowledged                    in the journal (after a power failure: up to the last fsync)
//	spare allocated, not renamed    deleted
//	segment renamed, no frame       an empty last segment: the stream ends before it
//	trimmed segment not deleted     read again; its events are known to be committed
//	removed, not deleted            drained again: found to be committed, removed again
//	renamed to .gone-STREAM         deleted
package journal
