package notice

import (
	"math/rand/v2"
	"time"
)

// schedule is how long a notice waits after each attempt that failed, about as Standard
// Webhooks suggests. After the last one, three days after the first, it is given up.
var schedule = [...]time.Duration{
	5 * time.Second, 30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 20 * time.Hour,
}

const (
	maxAge        = 80 * time.Hour // a notice that is older is given up, whatever was asked for
	maxRetryAfter = 24 * time.Hour // the longest wait that a receiver can ask for
)

// again returns how long to wait after an attempt that failed; false if it was the last one.
func again(attempt uint32, age, retryAfter time.Duration) (time.Duration, bool) {
	if int64(attempt) > int64(len(schedule)) {
		return 0, false
	}
	wait := schedule[max(attempt, 1)-1]
	wait += rand.N(wait/10 + 1) // so that many notices do not come back at the same moment
	wait = max(wait, min(retryAfter, maxRetryAfter))
	return wait, age+wait <= maxAge
}
