package decision

import "github.com/popupd/popupd/popup"

// The time until the next poll, in seconds.
const (
	minNextPollSec     = 30
	defaultNextPollSec = 60
	maxWaitSec         = 272
	jitterShare        = 10 // up to a tenth is added

	// MaxNextPollSec is the longest, with what is added.
	MaxNextPollSec = maxWaitSec + maxWaitSec/jitterShare
)

// nextPoll returns in how many seconds the user should ask again: when the
// first of the popups that wait returns, within limits, and a little later, by
// user and time, so that those who came together do not come together again.
func nextPoll(readyAtMS, nowMS int64, hash uint64) int {
	sec := int64(defaultNextPollSec)
	if readyAtMS < popup.Never {
		sec = min(max((readyAtMS-nowMS+999)/1000, minNextPollSec), maxWaitSec)
	}
	const mix = 0x9e3779b97f4a7c15 // spreads the low bits of its multiplicand over the high ones
	return later(sec, (hash^uint64(nowMS))*mix>>32)
}

// DefaultNextPoll returns in how many seconds a client should ask again whose poll
// was not decided. draw is a random number.
func DefaultNextPoll(draw uint64) int { return later(defaultNextPollSec, draw) }

// later returns sec with up to a tenth added, as drawn.
func later(sec int64, draw uint64) int {
	return int(sec) + int(draw%uint64(sec/jitterShare+1))
}
