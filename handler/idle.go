package handler

import "time"

// Idle connections. A page that is told to wait polls again after 60 to 66 s, and
// finds its connection open if that may be idle for longer; else it connects anew
// for every poll, and now and then sends a request just as the connection ends.
const (
	DefaultIdleTimeout = 90 * time.Second
	// MinIdleTimeout is the shortest that may be set, and what is left of a longer
	// one when there is no room for another connection.
	MinIdleTimeout = 5 * time.Second
)

// idle returns for how long a connection may be idle from now on.
func (l *listener) idle() time.Duration {
	return l.limits.idleFor(l.open.Load(), l.limit)
}

// idleFor returns for how long a connection may be idle when open of limit are in
// use. From half of the limit on that gets shorter, in proportion to what is left,
// so that connections nobody uses make room before new ones have to be rejected.
// Those that were open before keep what they had, and are half of the limit at most.
func (l *limits) idleFor(open, limit int64) time.Duration {
	half := limit / 2
	if open <= half {
		return l.idle
	}
	left := float64(max(limit-open, 0)) / float64(limit-half)
	return max(time.Duration(left*float64(l.idle)), min(l.idle, l.leastIdle))
}
