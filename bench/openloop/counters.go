//go:build linux

package openloop

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// failure says what went wrong with a request.
type failure uint8

const (
	unexpected     failure = iota // an answer, but not the one to its kind
	malformed                     // no HTTP/1.1 answer
	timedOut                      // sent, and no answer within Config.Timeout
	connectionLost                // closed or reset before the answer
	connectFailed
	writeFailed
	numFailures
)

func (f failure) String() string {
	return [...]string{"unexpected answer", "malformed answer", "timeout", "connection lost", "connect failed", "write failed"}[f]
}

// counters count a run. Every request of the schedule is in one of the histograms
// once: with its latency, or with the time until it failed.
type counters struct {
	kinds    [numKinds]kindCounters
	missed   *hdr.Histogram // of what was never sent
	missedN  int
	arrived  int
	late     int
	latest   time.Duration // the greatest lateness
	firstErr error

	// of the second that Progress tells about
	interval     *hdr.Histogram
	lastSent     int
	lastAnswered int
}

type kindCounters struct {
	sent, answered int
	statuses       [600]int
	failures       [numFailures]int
	latency        *hdr.Histogram
}

// newHistogram resolves 1 us and three digits, up to an hour.
func newHistogram() *hdr.Histogram {
	return hdr.New(int64(time.Microsecond), int64(time.Hour), 3)
}

func newCounters() counters {
	t := counters{missed: newHistogram(), interval: newHistogram()}
	for k := range t.kinds {
		t.kinds[k].latency = newHistogram()
	}
	return t
}

// schedule counts a request that the generator has got round to.
func (t *counters) schedule(lateness time.Duration) {
	t.arrived++
	t.latest = max(t.latest, lateness)
	if lateness > late {
		t.late++
	}
}

func (t *counters) answer(k Kind, status int, latency time.Duration) {
	kind := &t.kinds[k]
	kind.answered++
	if status < len(kind.statuses) {
		kind.statuses[status]++
	}
	record(kind.latency, latency)
	record(t.interval, latency)
}

// unanswered counts the time that a request waited in vain; why is for failure.
func (t *counters) unanswered(k Kind, waited time.Duration) {
	record(t.kinds[k].latency, waited)
	record(t.interval, waited)
}

func (t *counters) failure(k Kind, f failure, err error) {
	t.kinds[k].failures[f]++
	t.note(err)
}

// note keeps the first error: what follows is mostly the same.
func (t *counters) note(err error) {
	if t.firstErr == nil {
		t.firstErr = err
	}
}

func (t *counters) unsent(waited time.Duration) {
	t.missedN++
	record(t.missed, waited)
}

func record(h *hdr.Histogram, d time.Duration) {
	_ = h.RecordValue(int64(min(max(d, 0), time.Hour)))
}

func (t *counters) totals() (sent, answered, failed int) {
	failed = t.missedN
	for i := range t.kinds {
		k := &t.kinds[i]
		sent += k.sent
		answered += k.answered
		for _, n := range k.failures {
			failed += n
		}
	}
	return sent, answered, failed
}

// second ends the interval of Progress.
func (t *counters) second(now time.Duration) Progress {
	sent, answered, failed := t.totals()
	p := Progress{
		Elapsed: now, Sent: sent - t.lastSent, Answered: answered - t.lastAnswered, Errors: failed, Late: t.late,
		P99: time.Duration(t.interval.ValueAtPercentile(99)),
	}
	t.lastSent, t.lastAnswered = sent, answered
	t.interval.Reset()
	return p
}
