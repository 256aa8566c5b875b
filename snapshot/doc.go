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
//	H(purpose, salt) = XXH64(purpose + "\x00" + salt + "\x00" + uid), seed 0
//
// where uid is the bytes of the user id:
//
//   - the user is in the rollout if H("rollout", salt) mod 10000 < rollout.percent * 100,
//     where salt is the popup's rollout.salt or, if that is empty, its key;
//   - the user's variant is the one with the least E(H("variant", popup key + "\x00" +
//     variant key)) / weight, of variants with the same the first by key. Variants
//     without a weight are left out;
//   - the user is in the holdout if H("holdout", salt) mod 10000 < holdout.percent * 100,
//     where salt is the settings' holdout.salt.
//
// E(h) is -log2(h / 2^64) in units of 2^-32, as integers give it. With h = 1 for 0,
// z the number of zeros before the first bit of h that is set, i the 8 bits after
// that bit, f the 32 bits after those, and T[i] = log2(1 + i/256) * 2^32, rounded:
//
//	E(h) = (z+1) * 2^32 - T[i] - floor((T[i+1] - T[i]) * f / 2^32)
//
// The purposes draw independently, so half of the users of a 50 % rollout see
// each of two equal variants, and so do half of the users in a holdout
// before they are in it. A greater percent keeps all users that were in, and
// the rollout's salt moves nobody between variants. This is weighted rendezvous
// hashing: the order of variants does not matter, and of weights only their
// proportions do; a new variant or a greater weight takes users from the others and
// moves none between them, and the users of one that goes are spread over the rest.
// TestPublishedHash and TestPublishedVariants hold values to check another
// implementation against.
//
// # Time
//
// Start and end are instants. Days and hours are those of a clock on the wall in
// the popup's time zone: where clocks go forward, the hour that does not exist
// is not shown in; where they go back, the hour that comes twice counts twice.
// A window that crosses midnight belongs to the day on which it starts.
package snapshot
