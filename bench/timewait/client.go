//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Who closes a connection first, and so keeps its TIME_WAIT.
const (
	clientFirst = "client"
	serverFirst = "server"
	nobody      = "nobody" // keep-alive
)

const (
	// A slot whose connect failed waits this long: an attempt that finds no
	// free port searches all of them, which alone would fill the core.
	pause = 100 * time.Millisecond
	// An answer that takes longer is given up.
	patience = 3 * time.Second
)

// run is what a client did, as it tells the lab.
type run struct {
	Seconds  []second       // one for each second of the run
	Errors   map[string]int // by name of the errno; timeout; answer: no 204
	Counters counters       // of the client's namespace, at the end
	Stall    time.Duration  // the longest turn of the client's loop
}

type second struct {
	Requests int           // answered
	CPU      time.Duration // of the client
}

// plan is what a client has to do.
type plan struct {
	Server      netip.AddrPort
	Closes      string        // clientFirst, serverFirst or nobody
	Concurrency int           // connections at a time
	Duration    time.Duration // of the run, in whole seconds
	// Half is the number of requests after which connect finds ports no longer
	// at once. A run goes on until some seconds beyond that, on a slow machine
	// for up to six times its duration; 0 does not ask for it.
	Half int
}

// slot is the place of one connection at a time.
type slot struct {
	fd      int // -1: none
	sent    bool
	got     int // bytes of the answer
	since   time.Time
	answer  [1024]byte
	retryAt time.Time // for fd -1
}

// client holds its connections in one epoll set and one goroutine: nothing in
// it costs more than the system calls that every client makes.
type client struct {
	plan    plan
	server  unix.Sockaddr
	request []byte
	epoll   int
	slots   []slot
	paused  []int // slots without a connection, those that wait longest first

	now     time.Time
	started time.Time
	run     run
	second  second        // the one under way
	cpu     time.Duration // at its start
}

// do runs the plan, or less of it if ctx ends.
func (p plan) do(ctx context.Context) (run, error) {
	c := &client{plan: p, server: &unix.SockaddrInet4{Port: int(p.Server.Port()), Addr: p.Server.Addr().As4()}}
	c.request = []byte("GET /v1/poll?uid=timewait HTTP/1.1\r\nHost: popupd\r\n\r\n")
	if p.Closes == serverFirst {
		c.request = []byte("GET /v1/poll?uid=timewait HTTP/1.1\r\nHost: popupd\r\nConnection: close\r\n\r\n")
	}
	c.slots = make([]slot, p.Concurrency)
	c.run.Errors = make(map[string]int)
	var err error
	if c.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return run{}, fmt.Errorf("epoll_create1: %w", err)
	}
	defer unix.Close(c.epoll)
	defer func() {
		for n := range c.slots {
			c.close(n)
		}
	}()
	if err := c.loop(ctx); err != nil {
		return run{}, err
	}
	c.run.Counters, err = readCounters(os.Getpid())
	return c.run, err
}

func (c *client) loop(ctx context.Context) error {
	var err error
	if c.cpu, err = used(); err != nil {
		return err
	}
	c.now = time.Now()
	c.started = c.now
	for n := range c.slots {
		c.slots[n].fd = -1
		c.open(n)
	}
	events := make([]unix.EpollEvent, len(c.slots))
	for ctx.Err() == nil {
		wait := 10 // ms; what bounds how late a paused slot wakes and a second ends
		n, err := unix.EpollWait(c.epoll, events, wait)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		now := time.Now()
		c.run.Stall = max(c.run.Stall, now.Sub(c.now))
		c.now = now
		for _, event := range events[:max(n, 0)] {
			c.step(int(event.Pad))
		}
		c.wake()
		if done, err := c.tick(); done || err != nil {
			return err
		}
	}
	return nil
}

// tick ends the seconds that are over. It reports whether the run is.
func (c *client) tick() (bool, error) {
	elapsed := c.now.Sub(c.started)
	for elapsed >= time.Duration(len(c.run.Seconds)+1)*time.Second {
		for n := range c.slots {
			if s := &c.slots[n]; s.fd >= 0 && c.now.Sub(s.since) > patience {
				c.fail(n, "timeout")
			}
		}
		cpu, err := used()
		if err != nil {
			return false, err
		}
		c.second.CPU, c.cpu = cpu-c.cpu, cpu
		c.run.Seconds = append(c.run.Seconds, c.second)
		c.second = second{}
	}
	return elapsed >= 6*c.plan.Duration || elapsed >= c.plan.Duration && c.run.beyond(c.plan.Half), nil
}

// beyond reports whether the last seconds of a run came after it had n requests.
func (r run) beyond(n int) bool {
	before := 0
	for _, s := range r.Seconds[:max(0, len(r.Seconds)-recent)] {
		before += s.Requests
	}
	return before >= n
}

// used is the user and system time of this process.
func used() (time.Duration, error) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// wake opens the connections whose pause is over.
func (c *client) wake() {
	for len(c.paused) > 0 && !c.now.Before(c.slots[c.paused[0]].retryAt) {
		n := c.paused[0]
		c.paused = c.paused[1:]
		c.open(n)
	}
}

// open connects the slot n. On one machine the handshake is often over when
// connect returns, so the request is tried at once.
func (c *client) open(n int) {
	s := &c.slots[n]
	s.since, s.sent, s.got = c.now, false, 0
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.fail(n, name(err))
		return
	}
	s.fd = fd
	if err := unix.Connect(fd, c.server); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		c.fail(n, name(err))
		return
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET&0xffffffff, Fd: int32(fd), Pad: int32(n)}
	if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		c.fail(n, name(err))
		return
	}
	c.step(n)
}

// step takes the connection of slot n as far as it goes without waiting.
func (c *client) step(n int) {
	s := &c.slots[n]
	if s.fd < 0 {
		return
	}
	if !s.sent {
		switch _, err := unix.Write(s.fd, c.request); {
		case errors.Is(err, unix.EAGAIN): // still connecting
			return
		case err != nil:
			c.fail(n, name(err))
			return
		}
		s.sent = true
	}
	if !c.read(n) {
		return
	}
	c.second.Requests++
	// One request a call: the others' answers are waiting.
	if c.plan.Closes == nobody {
		s.since, s.sent, s.got = c.now, true, 0
		if _, err := unix.Write(s.fd, c.request); err != nil {
			c.fail(n, name(err))
		}
		return
	}
	c.close(n)
	c.open(n)
}

// read reads the answer of slot n and reports whether it is whole and right. One
// that is wrong has failed; of another, more is to come.
func (c *client) read(n int) (whole bool) {
	s := &c.slots[n]
	for {
		if s.got == len(s.answer) {
			c.fail(n, "answer")
			return false
		}
		m, err := unix.Read(s.fd, s.answer[s.got:])
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false
		case err != nil:
			c.fail(n, name(err))
			return false
		}
		s.got += m
		whole = bytes.HasSuffix(s.answer[:s.got], []byte("\r\n\r\n"))
		if m > 0 && (!whole || c.plan.Closes == serverFirst) {
			continue // the answer, or its end of file, is still to come
		}
		if !whole || !bytes.HasPrefix(s.answer[:s.got], []byte("HTTP/1.1 204 ")) {
			c.fail(n, "answer")
			return false
		}
		return true
	}
}

// fail counts an error and leaves the slot alone for a while.
func (c *client) fail(n int, why string) {
	c.run.Errors[why]++
	c.close(n)
	c.slots[n].retryAt = c.now.Add(pause)
	c.paused = append(c.paused, n)
}

func (c *client) close(n int) {
	if s := &c.slots[n]; s.fd >= 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

func name(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return unix.ErrnoName(errno)
	}
	return err.Error()
}
