//go:build linux

package openloop

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// repairEvery is the time between looks at broken connections and timeouts.
const repairEvery = 10 * time.Millisecond

// generator is a run. All of it belongs to the one goroutine of loop.
type generator struct {
	config   Config
	schedule *arrivals
	scenario *scenario
	reports  chan<- Progress // nil if nobody asks

	epoll  int
	conns  []conn
	free   queue[*conn]         // in turn, so that each is used alike
	broken []*conn              // opened or freed again at the next repair
	due    queue[time.Duration] // intended starts that wait for a connection
	source int                  // the next of config.Sources

	start    time.Time
	inFlight int
	counters counters
}

func newGenerator(c Config) (*generator, error) {
	g := &generator{
		config:   c,
		schedule: newArrivals(c.Rate, c.Poisson, c.Seed),
		scenario: newScenario(&c),
		conns:    make([]conn, c.Connections),
		counters: newCounters(),
	}
	for i := range g.conns {
		g.conns[i] = conn{index: int32(i), fd: -1}
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	g.epoll = epoll
	if err := g.open(); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// open makes every connection free to use. With one connection per request it
// tries a single one.
func (g *generator) open() error {
	for i := range g.conns {
		c := &g.conns[i]
		if g.config.Close && i > 0 {
			g.free.push(c)
			continue
		}
		if err := g.dial(c); err != nil {
			return err
		}
		if err := c.wait(); err != nil {
			return fmt.Errorf("connect %v: %w", g.config.Address, err)
		}
		if err := c.connected(g.epoll); err != nil {
			return fmt.Errorf("%v: %w", g.config.Address, err)
		}
		if g.config.Close {
			c.close()
		} else {
			c.state = free
		}
		g.free.push(c)
	}
	return nil
}

func (g *generator) dial(c *conn) error {
	var from netip.Addr
	if n := len(g.config.Sources); n > 0 {
		from = g.config.Sources[g.source%n]
		g.source++
	}
	return c.dial(g.epoll, g.config.Address, from)
}

func (g *generator) close() {
	for i := range g.conns {
		g.conns[i].close()
	}
	unix.Close(g.epoll)
}

func (g *generator) run(ctx context.Context) *Result {
	// The loop keeps one P to itself.
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
	var result *Result
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread ends with the goroutine, and its settings with it.
		runtime.LockOSThread()
		result = g.loop(ctx)
	}()
	<-done
	return result
}

// now is the time since the start of the run.
func (g *generator) now() time.Duration { return time.Since(g.start) }

func (g *generator) loop(ctx context.Context) *Result {
	// The default slack of timers, 50 us, is a quarter of a tick. Clients are
	// other machines, which no store on this one keeps waiting: so the thread
	// goes first, where it may (as root). It sleeps most of the time.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1000, 0, 0, 0)
	if own, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 20-own-10) // the call says 20 less the value, see getpriority(2)
	}
	cpu := threadCPU()
	g.start = time.Now()
	var (
		events   = make([]unix.EpollEvent, 512)
		next     = g.schedule.next()
		end      = g.config.Duration + g.config.Timeout
		repaired time.Duration
		reported time.Duration
	)
	for {
		now := g.now()
		for ; next <= now && next < g.config.Duration; next = g.schedule.next() {
			g.counters.schedule(now - next)
			g.due.push(next)
		}
		g.sendDue()
		if next >= g.config.Duration && g.due.len() == 0 && g.inFlight == 0 || now > end || ctx.Err() != nil {
			break
		}
		g.receive(events)
		g.sendDue()
		if now-repaired >= repairEvery {
			g.repair(now)
			repaired = now
		}
		if now-reported >= time.Second {
			g.report(now)
			reported = now
		}
		if pause := now - now%g.config.Tick + g.config.Tick - g.now(); pause > 0 {
			rawNap(pause)
		}
	}
	elapsed := g.now()
	used := threadCPU() - cpu
	g.giveUp(elapsed)
	return g.counters.result(g.config, g.start, elapsed, used, ctx.Err() != nil)
}

// sendDue sends what is due, as far as connections are free.
func (g *generator) sendDue() {
	for g.due.len() > 0 && g.free.len() > 0 {
		g.send(g.free.pop())
	}
}

// send starts the request that is due longest on a connection that is free, or
// with Config.Close not open yet.
func (g *generator) send(c *conn) {
	c.intended = g.due.pop()
	kind, request := g.scenario.next()
	c.kind, c.sent, c.in = kind, g.now(), c.in[:0]
	g.counters.kinds[kind].sent++
	g.inFlight++
	if c.state == closed {
		c.state = connecting
		if err := g.dial(c); err != nil {
			g.fail(c, connectFailed, err)
			return
		}
	}
	err := c.write(request)
	if err == unix.EAGAIN && c.state == connecting {
		c.out = append(c.out[:0], request...)
		if err = c.awaitConnected(g.epoll); err == nil {
			return
		}
	}
	if err != nil {
		g.fail(c, writeFailed, err)
		return
	}
	c.state = busy
}

// receive reads what has come.
func (g *generator) receive(events []unix.EpollEvent) {
	for {
		n, err := rawEpoll(g.epoll, events)
		for _, event := range events[:n] {
			g.ready(&g.conns[event.Fd])
		}
		if err != unix.EINTR && n < len(events) {
			return
		}
	}
}

// ready handles an event of a connection.
func (g *generator) ready(c *conn) {
	switch c.state {
	case connecting:
		g.established(c)
	case free:
		// The server has closed an idle connection, or says what nobody asked.
		if got, err := c.read(); err != nil {
			g.replace(c)
		} else if got {
			g.counters.failure(c.kind, malformed, errMalformed)
			g.replace(c)
		}
	case busy:
		got, err := c.read()
		if err != nil {
			g.fail(c, connectionLost, err)
			return
		}
		if got {
			g.received(c)
		}
	case ending:
		c.in = c.in[:0]
		if got, err := c.read(); got || err != nil {
			g.finish(c)
		}
	}
}

// established sends the request that waited for its connection.
func (g *generator) established(c *conn) {
	waits := len(c.out) > 0
	err := c.connected(g.epoll)
	switch {
	case err != nil && waits:
		g.fail(c, connectFailed, err)
	case err != nil:
		g.counters.note(err)
		g.replace(c)
	case !waits:
		c.state = free
		g.free.push(c)
	default:
		if err := c.write(c.out); err != nil {
			g.fail(c, writeFailed, err)
			return
		}
		c.out, c.state = c.out[:0], busy
	}
}

// received ends the request of a connection if its answer is complete.
func (g *generator) received(c *conn) {
	a, size, err := parse(c.in)
	if err == errPartial {
		return
	}
	if err != nil || size != len(c.in) {
		g.fail(c, malformed, errMalformed)
		return
	}
	g.inFlight--
	g.counters.answer(c.kind, a.status, g.now()-c.intended)
	if !g.scenario.check(c.kind, a) {
		g.counters.failure(c.kind, unexpected, fmt.Errorf("status %d, want %d: %.200q", a.status, wantStatus[c.kind], a.body))
	}
	switch {
	case g.config.Close:
		// The server closes first, and has TIME_WAIT, as after any Connection:
		// close. Mostly it has done so by now.
		c.state = ending
		g.ready(c)
	case a.close:
		g.replace(c)
	default:
		c.state = free
		g.free.push(c)
	}
}

// finish closes a connection that has done its one request.
func (g *generator) finish(c *conn) {
	c.close()
	g.free.push(c)
}

// replace closes a connection without a request, and has it opened again.
func (g *generator) replace(c *conn) {
	if c.state == free {
		g.free.remove(c)
	}
	c.close()
	g.broken = append(g.broken, c)
}

// fail ends the request of a connection without an answer.
func (g *generator) fail(c *conn, f failure, err error) {
	g.inFlight--
	g.counters.unanswered(c.kind, g.now()-c.intended)
	g.counters.failure(c.kind, f, err)
	g.replace(c)
}

// repair opens broken connections again and gives up on answers that are overdue.
func (g *generator) repair(now time.Duration) {
	for i := range g.conns {
		c := &g.conns[i]
		switch {
		case now-c.sent <= g.config.Timeout:
		case c.unanswered():
			g.fail(c, timedOut, errors.New("no answer in time"))
		case c.state == ending:
			g.finish(c)
		case c.state == connecting:
			g.replace(c)
		}
	}
	broken := g.broken
	g.broken = nil
	for _, c := range broken {
		if g.config.Close {
			g.free.push(c)
			continue
		}
		c.state, c.sent = connecting, now
		err := g.dial(c)
		if err == nil {
			err = c.awaitConnected(g.epoll)
		}
		if err != nil {
			g.counters.note(err)
			g.replace(c)
		}
	}
}

// giveUp counts what is under way and what was never sent.
func (g *generator) giveUp(now time.Duration) {
	for i := range g.conns {
		if c := &g.conns[i]; c.unanswered() {
			g.fail(c, timedOut, errors.New("no answer when the run ended"))
		}
	}
	for g.due.len() > 0 {
		g.counters.unsent(now - g.due.pop())
	}
}

// report hands on the last second, unless the one before is still unread: the
// loop never waits.
func (g *generator) report(now time.Duration) {
	if g.reports == nil {
		return
	}
	p := g.counters.second(now)
	p.InFlight, p.Waiting = g.inFlight, g.due.len()
	select {
	case g.reports <- p:
	default:
	}
}

// threadCPU is what this thread has used so far.
func threadCPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
