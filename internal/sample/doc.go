// Package sample looks at a sample of the polls, off their way: [WhyNot] counts what stopped
// each popup in some of them, and [Reservoir] keeps some, without the users' ids, so that a
// change can be tried on them. What stops a popup and what a poll comes to is package
// decision's to say; nothing of it is decided here.
//
// # Why a popup is not shown
//
// A poll is picked by chance, before it is decided: the request and what is known of its
// user are copied into one of a few slots, and a goroutine asks later what stops each
// active popup. It rests for 19 times as long as it worked, so it takes at most a twentieth of
// a processor, whatever the number of popups. A poll that had a chance of 1/n counts as n, so
// that the counts of quiet and busy times, and of several servers, can be added up. They
// are written in small batches, round after round; what is not written yet is lost when the
// process dies.
//
// # Which polls are kept
//
// All polls of some of the users, not some polls of all users: whether a popup waits, or a
// cap is full, follows from what the same user was shown before. A user is in the sample if
// the keyed hash of the id, by which the users' state goes, is below a threshold. So the
// users are drawn evenly, and so is every poll.
//
// The polls of the last day are in buckets of five minutes. When a bucket has as many as
// the rate allows, the threshold is halved and the users above it leave the bucket; a
// bucket with few polls is followed by one with twice the threshold. When the memory is
// full, all buckets are thinned so. A simulation takes the users who are below the lowest
// threshold of all buckets: of them nothing is missing but polls longer than 4 KB.
//
// # What is kept of a poll
//
//	length   4 bytes, little endian, of all that follows
//	user     8, keyed hash of the user's id
//	prior    8, that of the id that the user had before, 0: none
//	lists    8, fingerprint of the user's id in lists of users, 0: there was no key of these
//	time     varint, ms since the epoch
//	texts    platform, app_version, locale, country, path, trigger, time zone and network of
//	         the address (24 bits of IPv4, 48 of IPv6), each a varint of its length and its bytes
//	placements, attributes: a varint of how many, and as many texts, or pairs of them
//
// The file is, with fixed numbers in little endian:
//
//	"popupdSP" version(1)
//	check of the key of the hashes(8)
//	buckets: start(8, ms) threshold(8, 2^n - 1) length(8) polls
//	crc32c(4) of all before
//
// It is replaced as a whole every five minutes, within a minute after a user was reset, and
// when the server stops (package durable). What came since is lost when the process dies.
// There is no older generation, and what can't be used is removed: polls of users who are
// reset later must not lie in a file that nobody writes any more.
//
// # Users who are reset
//
// Their polls of before are not in the sample any more, wherever they are read from, since
// each reset that the users' state hears of is told to [Reservoir.Forget]. It only marks the
// user: simulations and the file leave out what a mark covers, and a sweep releases the memory,
// as it does where a threshold was halved. A sweep copies what stays without a lock, so no
// poll waits for it. Marks are kept for as long as polls of before can come from a file.
package sample
