package sample

import "math/bits"

// bucket has the polls of some minutes. Its threshold is halved without touching the polls:
// those of users who leave stay in memory until [Reservoir.sweep].
type bucket struct {
	startMS int64
	below   uint64 // the polls of users with a hash below this are complete; 2^n - 1
	polls   []byte // appended to, else replaced: readers may keep it
	live    size   // of the polls of these users

	leave    [64]size // what leaves when a threshold of so many halvings is halved
	latestMS int64    // time of a poll
	version  uint32   // the same for as long as polls is only appended to
}

// size is how many polls there are, and their bytes.
type size struct{ polls, bytes uint32 }

// halvings returns how often everybody was halved for a threshold.
func halvings(below uint64) int { return bits.LeadingZeros64(below) }

// leaves returns the halvings of the last threshold that a hash is below.
func leaves(hash uint64) int { return bits.LeadingZeros64(hash+1) & 63 } // no hash is 2^64 - 1

// add appends a poll of a user below the threshold.
func (b *bucket) add(p []byte) {
	b.polls = append(b.polls, p...)
	b.count(p)
}

// count takes note of a poll that was appended.
func (b *bucket) count(p []byte) {
	bytes := uint32(len(p))
	b.live.polls++
	b.live.bytes += bytes
	l := &b.leave[leaves(userOf(p))]
	l.polls++
	l.bytes += bytes
	b.latestMS = max(b.latestMS, timeOf(p))
}

// garbage returns the bytes of polls that have left.
func (b *bucket) garbage() int { return len(b.polls) - int(b.live.bytes) }

// expired reports whether the polls are too old. A poll that is to come was taken by a clock
// that was wrong: it would stay, whether its user was reset or not.
func (b *bucket) expired(nowMS int64) bool {
	return b.startMS+bucketMS <= nowMS-windowMS || max(b.startMS, b.latestMS) > nowMS+clockSkew.Milliseconds()
}

// thin lowers the threshold to another one, and returns the bytes that leave.
func (b *bucket) thin(below uint64) (left int) {
	for b.below > below {
		l := &b.leave[halvings(b.below)]
		b.live.polls -= l.polls
		b.live.bytes -= l.bytes
		left += int(l.bytes)
		b.below /= 2
	}
	return left
}

// without returns the bucket with memory of its own for those polls only that have not left
// and that no reset covers.
func (b *bucket) without(resets *resets) bucket {
	next := bucket{startMS: b.startMS, below: b.below}
	next.polls = make([]byte, 0, b.live.bytes)
	next.addLive(b.polls, resets)
	return next
}

// addLive adds those of some polls that have not left and that no reset covers.
func (b *bucket) addLive(polls []byte, resets *resets) {
	for p, rest, ok := nextPoll(polls); ok; p, rest, ok = nextPoll(rest) {
		if userOf(p) < b.below && !resets.cover(p) {
			b.add(p)
		}
	}
}

// hasCovered reports whether a reset covers one of the polls.
func (b *bucket) hasCovered(resets *resets) bool {
	for p, rest, ok := nextPoll(b.polls); ok; p, rest, ok = nextPoll(rest) {
		if resets.cover(p) {
			return true
		}
	}
	return false
}
