//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sample is one request of the probe.
type sample struct {
	at         time.Time
	latency    time.Duration
	status     int // 0: none
	retryAfter time.Duration
}

// probe polls now and then, over keep-alive connections or with one for each
// request, and comes back when Retry-After says. Its threads go before all others,
// so that what it sees is popupd and not the clients on its own core. Latency is
// from the first byte that is sent, or from connect, to the last one read.
type probe struct {
	address netip.AddrPort
	close   bool

	mu      sync.Mutex
	samples []sample
}

const (
	probers    = 32
	probePause = 40 * time.Millisecond // 800 requests a second in all, at most
)

func (w *probe) run(ctx context.Context) {
	var all sync.WaitGroup
	for range probers {
		all.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with its priority
			// Real time, where it may: nice(2) counts only within a session.
			_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0)
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1000, 0, 0, 0)
			fd := -1
			for ctx.Err() == nil {
				var s sample
				fd, s = w.ask(fd)
				w.mu.Lock()
				w.samples = append(w.samples, s)
				w.mu.Unlock()
				if s.retryAfter > 0 {
					sleep(ctx, s.retryAfter)
				}
				pause := unix.NsecToTimespec(rand.Int64N(2 * int64(probePause)))
				_ = unix.Nanosleep(&pause, nil)
			}
			if fd >= 0 {
				unix.Close(fd)
			}
		})
	}
	all.Wait()
}

// ask asks once and returns the connection for the next time, -1 if there is none.
func (w *probe) ask(fd int) (int, sample) {
	s := sample{at: time.Now()}
	end := func() (int, sample) {
		s.latency = time.Since(s.at)
		if fd >= 0 {
			unix.Close(fd)
		}
		return -1, s
	}
	if fd < 0 {
		var err error
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return end()
		}
		_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: w.address.Addr().As4(), Port: int(w.address.Port())}); err != nil {
			return end()
		}
		if !w.close {
			s.at = time.Now()
		}
	}
	if _, err := unix.Write(fd, []byte("GET /v1/poll?uid=probe HTTP/1.1\r\nHost: popupd\r\n\r\n")); err != nil {
		return end()
	}
	var b [4096]byte
	n, err := unix.Read(fd, b[:])
	if err != nil {
		return end()
	}
	s.status, s.retryAfter, _ = parseResponse(b[:n])
	if w.close || s.status != http.StatusNoContent && s.status != http.StatusServiceUnavailable {
		return end()
	}
	s.latency = time.Since(s.at)
	return fd, s
}

// seen are the samples from a time on.
func (w *probe) seen(from time.Time) (s seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var answered, shed []time.Duration
	for _, one := range w.samples {
		switch {
		case one.at.Before(from):
		case one.status == http.StatusNoContent:
			answered = append(answered, one.latency)
		case one.status == http.StatusServiceUnavailable:
			shed = append(shed, one.latency)
		default:
			s.failed++
		}
	}
	s.answered, s.shed = len(answered), len(shed)
	s.p50, s.p99 = quantile(answered, 0.5), quantile(answered, 0.99)
	s.shedP99 = quantile(shed, 0.99)
	return s
}

type seen struct {
	answered, shed, failed int
	p50, p99, shedP99      time.Duration
}

func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

// recovery is how long after a time the last second of samples was again as if
// there had been no overload: all answered, and p99 within the limit.
func (w *probe) recovery(from time.Time, limit time.Duration) (time.Duration, bool) {
	const window = 500 * time.Millisecond
	for at := from; time.Since(at) > window; at = at.Add(50 * time.Millisecond) {
		s := w.between(at, at.Add(window))
		if s.shed == 0 && s.failed == 0 && s.answered > 0 && s.p99 <= limit {
			return at.Sub(from), true
		}
	}
	return 0, false
}

func (w *probe) between(from, to time.Time) seen {
	w.mu.Lock()
	part := &probe{}
	for _, s := range w.samples {
		if !s.at.Before(from) && s.at.Before(to) {
			part.samples = append(part.samples, s)
		}
	}
	w.mu.Unlock()
	return part.seen(from)
}
