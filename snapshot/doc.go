// Package snapshot decides which popups fit a request, from memory and without
// allocating. [Compile] turns the rows of the catalog into an immutable
// [Snapshot]; a [Store] holds the one in force. The package is pure: it reads no
// file, clock or network, starts nothing and imports nothing but package popup and
// the hash. What keeps a store up to date is package snapshot/follow.
//
// # Matching
//
// A placement index holds the active popups of a placement in selection order; sets
// of them are bits. Their conditions are compiled into attribute indexes, one for each
// attribute, which know for every value that a condition names, for all others and
// for a missing one, which popups it stops. A request thus looks each attribute up
// once, and only conditions that are no comparison for equality are evaluated one by
// one, each once. Sets leave out empty words, so that memory follows the number of
// conditions and values. [Matches.Next] goes through what is left and looks at schedule
// and rollout; [Popup.Gate] evaluates a single popup, condition by condition.
//
// # Who sees what: the published hash
//
// Rollout and variant are sticky: the same user gets the same answer from every
// server and every release, and anyone can compute it. With
//
//	H(purpose) = XXH64(purpose + "\x00" + salt + "\x00" + uid), seed 0
//
// where salt is the popup's rollout.salt or, if that is empty, its key, and uid
// the bytes of the user id:
//
//   - the user is in the rollout if H("rollout") mod 10000 < rollout.percent * 100;
//   - the user's variant is the first whose weight, added to the weights of the
//     variants before it, exceeds H("variant") mod (the sum of all weights).
//
// The purposes draw independently, so half of the users of a 50 % rollout see
// each of two equal variants. A greater percent keeps all users that were in;
// changing the weights moves some users between variants. TestPublishedHash
// holds values to check another implementation against.
//
// # Time
//
// Start and end are instants. Days and hours are those of a clock on the wall in
// the popup's time zone: where clocks go forward, the hour that does not exist
// is not shown in; where they go back, the hour that comes twice counts twice.
// A window that crosses midnight belongs to the day on which it starts.
package snapshot
