//go:build linux

package main

import "time"

// result is a row and what was measured.
type result struct {
	row
	run
	ports   int // in the client's range
	server  counters
	cpu     time.Duration // of the server
	applied []string      // of the doctor's settings
	skipped []string      // those of them that belong to the host
	failure string        // why the row could not be run, "" otherwise
}

const (
	minute = 60 // s: what TIME_WAIT lasts
	recent = 3  // s: what a rate is taken of
)

// rate is what the client had in some seconds.
type rate struct {
	PerSecond float64 // requests
	CPU       float64 // microseconds of the client's CPU a request; 0 without any
}

// rate of the seconds from i to j.
func (r run) rate(i, j int) rate {
	requests, cpu := 0, time.Duration(0)
	for _, s := range r.Seconds[i:j] {
		requests += s.Requests
		cpu += s.CPU
	}
	if requests == 0 {
		return rate{}
	}
	return rate{float64(requests) / float64(j-i), float64(cpu.Microseconds()) / float64(requests)}
}

// first is the rate of the first second, when nearly all ports are free.
func (r run) first() rate { return r.rate(0, 1) }

// later is the rate of the last three of the first ten seconds.
func (r run) later() rate {
	end := min(10, len(r.Seconds))
	return r.rate(max(0, end-recent), end)
}

// last is the rate of the last three seconds.
func (r run) last() rate {
	return r.rate(max(0, len(r.Seconds)-recent), len(r.Seconds))
}

// slowed reports whether connect had to search for ports by the tenth second.
func (r run) slowed() bool { return r.later().CPU > 3*r.first().CPU }

// total is the number of answered requests.
func (r run) total() (n int) {
	for _, s := range r.Seconds {
		n += s.Requests
	}
	return n
}

// sustained is how many requests/s the client gets over a minute. A run that was
// shorter is taken to go on as in its last seconds, but a client that keeps each
// TIME_WAIT gets no more requests out of a minute than it has ports.
func (r result) sustained() (perSecond float64) {
	if len(r.Seconds) >= minute {
		return r.rate(0, minute).PerSecond
	}
	requests := float64(r.total()) + r.last().PerSecond*float64(minute-len(r.Seconds))
	if r.Closes == clientFirst && r.Counters.Reused == 0 && r.Counters.Overflow == 0 {
		requests = min(requests, float64(r.ports))
	}
	return requests / minute
}

// serverCPU is the microseconds of the server's CPU a request.
func (r result) serverCPU() float64 {
	return float64(r.cpu.Microseconds()) / float64(max(1, r.total()))
}
