package decision

import (
	"testing"

	"github.com/popupd/popupd/popup"
)

func TestNextPoll(t *testing.T) {
	const now = startMS
	for _, c := range []struct {
		name     string
		readyAt  int64
		min, max int
	}{
		{"nothing waits", popup.Never, 60, 66},
		{"returns at once", now, 30, 33},
		{"returned already", now - 5000, 30, 33},
		{"returns in 2 minutes", now + 2*minuteMS, 120, 132},
		{"returns in 2 minutes and a bit", now + 2*minuteMS + 1, 121, 133},
		{"returns tomorrow", now + dayMS, 272, MaxNextPollSec},
	} {
		seen := make(map[int]bool)
		for hash := range uint64(2000) {
			got := nextPoll(c.readyAt, now, hash)
			if got != nextPoll(c.readyAt, now, hash) {
				t.Fatalf("%s: not the same for the same user and time", c.name)
			}
			seen[got] = true
			if got < c.min || got > c.max {
				t.Fatalf("%s: %d s, want %d to %d", c.name, got, c.min, c.max)
			}
		}
		if len(seen) != c.max-c.min+1 {
			t.Errorf("%s: %d different times, want all of %d to %d", c.name, len(seen), c.min, c.max)
		}
	}
	if MaxNextPollSec > 300 {
		t.Errorf("polls come up to %d s apart, want 300 at most", MaxNextPollSec)
	}
}
