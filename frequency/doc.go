// Package frequency remembers, for every user and popup, when the popup may be
// shown again, and answers that from memory. It knows waits, not popups: which
// popup a user sees is decided in package decision. It does no I/O but for its dump.
//
// # The table
//
// A [Table] is sharded by the user's keyed hash (SipHash-2-4), one mutex a
// shard. A shard is one run of 24-byte slots without pointers; a large one is
// outside of Go's heap, so that no collection waits for it or counts it. An entry
// takes one slot, and two in rare cases (see slot). It is a hash table with linear
// probing that is kept sorted: the home of an entry is the rest of the hash, which
// does not choose the shard, times homes/2^54, which grows with the hash, and
// inserting moves later entries to the right, so that
//
//   - every entry sits at its home or right of it, with no empty slot between;
//   - entries ascend by (hash, popup) over the whole shard.
//
// All entries of one user are therefore neighbours, a search for a user that
// has none ends at the first greater hash instead of the first empty slot, and
// shards can be filled to 7/8 and grow by steps of 1/8 (one pass from left to
// right): 28 bytes an entry just before a step and 31.3 just after it, where all
// shards are at about the same point; 30.6 with ten million entries. Removing
// shifts the run back, so there are no tombstones. A tail behind the last home
// takes what is pushed past the end.
//
// Two users are taken for one only if all 64 bits of their hashes agree.
//
// Times in an entry are ticks of 100 ms since 2025-01-01 UTC, up to 2038: a wait
// that ends later is [popup.Never]. What has happened is rounded down, what is
// waited for is rounded up, so nothing is shown early. A clock before 2025 is taken
// for the first tick, one after August 2037 for that month. What happens goes
// through [popup.State.Merge].
//
// An impression is named by the tick in which it was served, so no two of a user and
// popup share one: a second one in a tick is named by the next, and takes place at
// once all the same. An entry whose latest event is more than a minute ahead of the
// clock was written by a clock that was wrong: whoever checks it moves it to now.
//
// A reset of a user is an entry too, of popup 0. While it is kept, which is for as
// long as tokens live, what was served before does not come back from wherever it
// may be merged.
//
// # Impressions
//
// What caps count is kept beside the entries, only while there are caps, under the same
// locks and within the same budget: a set of each user's impressions, see
// [Table.KeepImpressions]. One is named by its popup and the tick in which it was served,
// and what is known of it only grows, so sets merge by union in any order, however often.
// The newest of a user are kept: what is left out once is left out wherever it comes from
// later.
//
// # Held users
//
// A table that is [Config.HeldOnly] is that of one server of many, each of which holds the
// users who poll there. It does not begin with what the store knows. All that is heard is
// merged, of anyone: so the table has, of anyone, what may not be committed. [Table.Hold] says
// that what the store knows of a user was merged, too; both together are all there is, in
// whatever order they came. [User.Held] asks for that before a decision.
//
// Of whom nothing is uncommitted may be forgotten: those who are not held, and those who are
// and have not polled for long, sooner while memory is short. What was heard when is told by
// epochs of [EpochLength]: a user's slot has the first and the last epoch in which something
// was added, and [Table.SetUncommitted] says of which epochs not all is committed. Nobody is
// forgotten to whom something was added in this epoch or the one before: an event is in the
// table before the number of it is noted, and [Table.LookingUp] keeps what may not have been
// committed yet when the store was read until that is merged. Whoever an event is lost of, for
// want of memory, is not held, and nobody else is from then on until it is committed.
//
// [Table.Unhold] begins an era in which nobody is held. That is how such a table reads all
// that the store knows anew: user by user, when they poll.
//
// # The dump
//
// Little endian:
//
//	0   magic       "popupdFT"
//	8   version     uint32: 4 if the table is HeldOnly, else 3, or 2 without impressions; 1 is read too
//	12  positions   uint32, how many follow
//	16  key check   uint64, a hash of a constant under the table's key
//	24  positions   each a stream (16 bytes) and a sequence number (uint64), by stream
//	    blocks      one a shard: count (uint32, not 0), then count entries of 36 bytes
//	    end         uint32, 0
//	    total       uint64, entries in all blocks
//	    blocks, end, total    from version 3 on: the same of impressions of 17 bytes
//	    note        nothing, or its length (uint32) and what the owner of the dump keeps
//	                there; versions that do not know it pass over it
//	    crc         uint32, CRC-32C of everything before
//
// An entry is hash (8), popup, served at, at, click until, next at (4 each),
// impressions (2), acted (1), last action (1), shown at (4), which version 1 does
// not have. One of popup 2^32-1 says that the user is held. An impression is hash (8), popup,
// served at (4 each), flags (1). Two generations are kept, PATH and PATH.1; what survives a
// crash of [Table.Dump]:
//
//	while PATH.tmp is written or synced    PATH and PATH.1 as they were
//	after PATH.1 was replaced by PATH      PATH.1, the latest complete dump
//	after PATH was replaced by PATH.tmp    PATH, the new dump, and PATH.1
package frequency
