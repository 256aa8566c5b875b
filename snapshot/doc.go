// Package snapshot decides which popups fit a request, from memory and without
// allocating. [Compile] turns the rows of the catalog into an immutable
// [Snapshot]; a [Store] holds the one in force. The package is pure: it reads no
// file, clock or network, starts nothing and imports nothing but packages popup and
// audience and the hash. What keeps a store up to date is package snapshot/follow.
//
// # Matching
//
// A placement and a trigger have an [index] of their active popups: segments of popups in
// selection order, in which sets of popups are bitmaps, or lists of words where they are few
// ([postings]). The conditions of a segment that are alike, on one attribute, of one kind, in
// one role, are a predicate index each (the term is that of Fabret et al., SIGMOD 2001). For
// a value it finds the popups whose test the value passes:
//
//	equal texts and numbers    a map
//	numbers, versions, times,  the ends of all ranges cut the order of values into elementary
//	ages, networks             intervals: binary search, then a bitmap kept for every few of
//	                           them, and what changes after it
//	prefixes, suffixes         binary search in a sorted table whose entries know their own
//	                           prefixes
//	contains, matches          a map of a gram of each, and then each whose gram occurs
//
// What the test of a popup that it lacks, or passes, means follows from the role: required,
// forbidden, or one of any. Negation, missing attributes and sets of values need no counts
// for that: a set passes what one of its members passes. A [cursor] then goes through the
// bitmaps in batches of words, as popups are asked for. Where every popup of a segment
// requires something that only few pass, as with values of their own, the words of those are
// all it looks at. [Snapshot.Gate] evaluates a single popup, condition by condition.
//
// Popups that the user waits for are found by a table of a segment's ids, and left out 64 at a
// time ([Matches.Skip]): the user who has seen nearly everything has thousands of them.
//
// Conditions on audiences are an attribute whose values are the keys of the audiences that the
// user is in ([audienceIndex]). It is asked last, and only about those that popups of the
// segment name: a [membership] looks each up once in a poll, a list by the user's fingerprint, a
// rule condition by condition. Conditions know audiences by their keys alone, and the snapshot
// knows what a key stands for, so that a list that is replaced, or a rule that is edited,
// compiles no popup and no index anew. A popup that names an audience that is not there, or
// whose list is not loaded, is for nobody.
//
// Which popups are open is a bitmap too, kept until the next minute, start or end; where
// schedules are in the user's time one for each distance from UTC that a user has had.
//
// A change leaves popups out of the segments they are in and puts others into a small one;
// small ones are merged (Bentley and Saxe, J. Algorithms 1980; Lucene). Counting the
// conditions of conjunctions that a request meets ("Indexing Boolean Expressions", VLDB 2009)
// costs a step for each condition that is met, and those of a shop's popups are met by
// thousands; a BE-Tree (SIGMOD 2011) finds few candidates among millions, and has to check
// each. Bitmaps of 10,000 popups have 157 words, which an AND takes less time for than either
// takes to begin. Roaring's containers are for 65,536 each and are not used: a list of
// words, or a bitmap, is what is left of them at this size.
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
// the popup's time zone, or with user_time in that of the request: where clocks go forward, the hour that does not exist
// is not shown in; where they go back, the hour that comes twice counts twice.
// A window that crosses midnight belongs to the day on which it starts.
package snapshot
